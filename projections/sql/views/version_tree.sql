-- Each version below its first parent of the same model, with its line of descent.
-- model VARCHAR: the model's name
-- version UBIGINT: the version
-- parent UBIGINT: its first parent of the same model; null for a version without any
-- depth UBIGINT: how many first parents lie between it and the start of its line; 0 for the start
-- path UBIGINT[]: its line, from the start to itself
WITH RECURSIVE
edge AS (
    SELECT v.model, v.version, p.parent
    FROM store.versions AS v
    LEFT JOIN store.version_parents AS p
        ON p.model = v.model AND p.version = v.version AND p.position = 1 AND p.parent_model = v.model AND p.seq <= s
    WHERE v.seq <= s
),
line AS (
    SELECT model, version, parent, 0::UBIGINT AS depth, [version] AS path
    FROM edge
    WHERE parent IS NULL
    UNION ALL
    SELECT e.model, e.version, e.parent, l.depth + 1, list_append(l.path, e.version)
    FROM line AS l
    JOIN edge AS e ON e.model = l.model AND e.parent = l.version
)
SELECT model, version, parent, depth, path
FROM line
