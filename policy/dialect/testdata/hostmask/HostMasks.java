import com.getcapacitor.util.HostMask;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * Asks Capacitor's own HostMask about every mask and every host of a file, and
 * writes a line for each mask: the mask, and 1 or 0 for each host. The class is
 * android/capacitor/src/main/java/com/getcapacitor/util/HostMask.java, the same from
 * 3.0.0 to 8.4.2; it is not part of this repository. With it in a folder DIR:
 *
 * javac -cp DIR -d OUT HostMasks.java && java -cp OUT:DIR HostMasks verdicts.tsv
 */
public class HostMasks {
    public static void main(String[] args) throws Exception {
        List<String> lines = Files.readAllLines(Path.of(args[0]));
        String[] hosts = lines.get(0).split("\t", -1);
        System.out.println(lines.get(0));
        for (String line : lines.subList(1, lines.size())) {
            String mask = line.split("\t", -1)[0];
            StringBuilder covered = new StringBuilder();
            for (int i = 1; i < hosts.length; i++) {
                covered.append(HostMask.Parser.parse(new String[] { mask }).matches(hosts[i]) ? '1' : '0');
            }
            System.out.println(mask + "\t" + covered);
        }
    }
}
