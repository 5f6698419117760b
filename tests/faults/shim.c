/* A preloaded shim: the k-th call that writes below a folder fails, with an errno of one's choice.
 *
 * arm(root, k, error, times) counts from there; disarm() tells how many calls failed. Only the calls of a kind in
 * `kinds` are counted: 1 write, 2 sync, 4 rename or link, 8 create.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

enum { WRITE = 1, SYNC = 2, NAME = 4, CREATE = 8 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static char root[PATH_MAX];
static long left, times, failed;
static int error_number, counted;

void arm(const char *folder, long k, int error, long how_often, int kinds) {
    pthread_mutex_lock(&lock);
    snprintf(root, sizeof root, "%s", folder);
    left = k, error_number = error, times = how_often, failed = 0, counted = kinds;
    pthread_mutex_unlock(&lock);
}

long disarm(void) {
    pthread_mutex_lock(&lock);
    root[0] = 0;
    long done = failed;
    pthread_mutex_unlock(&lock);
    return done;
}

static int fails(const char *path, int kind) {
    int fail = 0;
    pthread_mutex_lock(&lock);
    if (root[0] && (kind & counted) && path && !strncmp(path, root, strlen(root))) {
        if (left > 0) left--;
        if (left == 0 && failed < times) failed++, fail = 1;
    }
    pthread_mutex_unlock(&lock);
    if (fail) errno = error_number;
    return fail;
}

static int fails_fd(int fd, int kind) {
    char name[64], path[PATH_MAX];
    if (!root[0]) return 0;
    snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(name, path, sizeof path - 1);
    if (length < 0) return 0;
    path[length] = 0;
    return fails(path, kind);
}

#define REAL(type, name, ...) \
    static type (*real)(__VA_ARGS__); \
    if (!real) real = (type (*)(__VA_ARGS__)) dlsym(RTLD_NEXT, #name)

ssize_t write(int fd, const void *data, size_t size) {
    REAL(ssize_t, write, int, const void *, size_t);
    return fails_fd(fd, WRITE) ? -1 : real(fd, data, size);
}
ssize_t pwrite(int fd, const void *data, size_t size, off_t at) {
    REAL(ssize_t, pwrite, int, const void *, size_t, off_t);
    return fails_fd(fd, WRITE) ? -1 : real(fd, data, size, at);
}
ssize_t pwrite64(int fd, const void *data, size_t size, off64_t at) {
    REAL(ssize_t, pwrite64, int, const void *, size_t, off64_t);
    return fails_fd(fd, WRITE) ? -1 : real(fd, data, size, at);
}
ssize_t writev(int fd, const struct iovec *parts, int count) {
    REAL(ssize_t, writev, int, const struct iovec *, int);
    return fails_fd(fd, WRITE) ? -1 : real(fd, parts, count);
}
int ftruncate(int fd, off_t size) {
    REAL(int, ftruncate, int, off_t);
    return fails_fd(fd, WRITE) ? -1 : real(fd, size);
}
int ftruncate64(int fd, off64_t size) {
    REAL(int, ftruncate64, int, off64_t);
    return fails_fd(fd, WRITE) ? -1 : real(fd, size);
}
int fsync(int fd) {
    REAL(int, fsync, int);
    return fails_fd(fd, SYNC) ? -1 : real(fd);
}
int fdatasync(int fd) {
    REAL(int, fdatasync, int);
    return fails_fd(fd, SYNC) ? -1 : real(fd);
}
int rename(const char *from, const char *to) {
    REAL(int, rename, const char *, const char *);
    return fails(from, NAME) ? -1 : real(from, to);
}
int renameat(int a, const char *from, int b, const char *to) {
    REAL(int, renameat, int, const char *, int, const char *);
    return fails(from, NAME) ? -1 : real(a, from, b, to);
}
int link(const char *from, const char *to) {
    REAL(int, link, const char *, const char *);
    return fails(from, NAME) ? -1 : real(from, to);
}
int linkat(int a, const char *from, int b, const char *to, int flags) {
    REAL(int, linkat, int, const char *, int, const char *, int);
    return fails(from, NAME) ? -1 : real(a, from, b, to, flags);
}
int mkdir(const char *path, mode_t mode) {
    REAL(int, mkdir, const char *, mode_t);
    return fails(path, CREATE) ? -1 : real(path, mode);
}

#define OPEN(name) \
    int name(const char *path, int flags, ...) { \
        REAL(int, name, const char *, int, ...); \
        mode_t mode = 0; \
        if (flags & (O_CREAT | O_TMPFILE)) { \
            va_list rest; \
            va_start(rest, flags); \
            mode = va_arg(rest, mode_t); \
            va_end(rest); \
        } \
        if ((flags & O_CREAT) && access(path, F_OK) && fails(path, CREATE)) return -1; \
        return real(path, flags, mode); \
    }
OPEN(open)
OPEN(open64)
