import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.regex.Pattern;

/**
 * Says what java.util.regex makes of expressions and texts. A line of the input
 * is an expression and a text, both UTF-8 in base64 with a comma between them; a
 * line of the output, behind one with the version of Java, is "found", "not",
 * "refused" (the expression), "thrown" (the search) or "long" (the search took
 * too many steps).
 */
public class Judge {
    static final class Counted implements CharSequence {
        final String text;
        int left = 400_000;

        Counted(String text) { this.text = text; }

        public char charAt(int i) {
            if (--left < 0) throw new IllegalStateException("long");
            return text.charAt(i);
        }

        public int length() { return text.length(); }

        public CharSequence subSequence(int from, int to) { return text.subSequence(from, to); }

        public String toString() { return text; }
    }

    static String judge(String expression, String text) {
        Pattern pattern;
        try {
            pattern = Pattern.compile(expression);
        } catch (Exception e) {
            return "refused";
        }
        try {
            return pattern.matcher(new Counted(text)).find() ? "found" : "not";
        } catch (IllegalStateException e) {
            return "long";
        } catch (Throwable t) {
            return "thrown";
        }
    }

    public static void main(String[] args) throws Exception {
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.US_ASCII));
        PrintStream out = new PrintStream(System.out, false, "US-ASCII");
        out.println(Runtime.version().feature());
        for (String line; (line = in.readLine()) != null;) {
            String[] parts = line.split(",", -1);
            out.println(judge(decoded(parts[0]), decoded(parts[1])));
        }
        out.flush();
    }

    static String decoded(String s) { return new String(Base64.getDecoder().decode(s), StandardCharsets.UTF_8); }
}
