import java.util.stream.Stream;
import org.apache.kafka.tools.AclCommand;

/** Kafka's program that gives rights, once for each line that is read, in one process; what all are told comes first. */
class Rights {
    public static void main(String[] told) throws Exception {
        for (String right : new String(System.in.readAllBytes()).lines().toList()) {
            AclCommand.main(Stream.concat(Stream.of(told), Stream.of(right.split(" +"))).toArray(String[]::new));
        }
    }
}
