import PGCommandLine
import Testing

@Suite struct DurationArgumentTests {
  @Test(
    "reads a number and a unit, exactly",
    arguments: [
      ("10", Duration.seconds(10)), ("10s", .seconds(10)), ("500ms", .milliseconds(500)),
      ("2m", .seconds(120)), ("1h", .seconds(3600)), ("1d", .seconds(86_400)),
      ("1.5h", .seconds(5400)), ("0.001s", .milliseconds(1)), ("1.5ms", .microseconds(1500)),
      ("0.001ms", .microseconds(1)), ("0", .zero), ("007s", .seconds(7)),
      ("1.05d", .seconds(90_720)), ("36600d", .seconds(36_600 * 86_400)),
    ])
  func reads(text: String, want: Duration) throws {
    #expect(try #require(DurationArgument(argument: text)).duration == want)
  }

  @Test(
    "refuses everything else",
    arguments: [
      "", "s", "ms", "-1", "+1", "-1s", ".5s", "5.", "5.s", "1.2.3", "1,5s", "1 s", " 1s", "1s ",
      "1S", "1M", "1e3", "0x10", "1min", "1us", "1.0001s", "36601d", "9223372036854775807d",
      "9223372036854775808", "99999999999999999999", "nan", "inf", "１s", "1½s", "1s2m",
    ])
  func refuses(text: String) {
    #expect(DurationArgument(argument: text) == nil)
  }
}
