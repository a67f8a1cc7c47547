import ArgumentParser
import PGCommandLine
import Testing

@testable import pg_copy

/// What pg-copy takes a command line for where it does not ask the parser.
@Suite struct PlainCopyFlagsTests {
  @Test("flags that are not given are what the parser takes them for")
  func defaults() throws {
    try expectSameDefaults(StoringFlags.self)
    try expectSameDefaults(ReadingFlags.self)
    try expectSameDefaults(RunningFlags.self)
    try expectSameDefaults(ReportingFlags.self)
  }

  @Test(
    "a command line that is read without the parser is what the parser takes it for",
    arguments: [
      ["pq://a", "t", "--to", "pq://b"],
      ["--to", "pq://b;table=u", "--to", "pq://c", "pq://a", "SELECT 1", "-q"],
      ["pq://a", "t", "--to", "pq://b", "--format", "binary", "--quiet", "--summary", "json"],
      ["-", "t(a, b)", "--to", "/tmp/x", "--replace", "truncate", "--verify", "--atomic"],
      ["pq://a", "t", "--to", "b", "--on-conflict", "update", "--dry-run"],
      ["pq://a", "t", "--to", "b", "--job", "nightly", "--single", "alone"],
      ["", "", "--to", ""],
    ])
  func sameMeaning(_ words: [String]) throws {
    var line = PlainCommandLine(words)
    let read = line.read()
    let (plain, parsed) = (try #require(read), try CopyCommand.parse(words))
    // The parser's are wrapped, and called so; each has its place in both.
    let labels = Mirror(reflecting: parsed).children.map { $0.label.map { $0.drop { $0 == "_" } } }
    #expect(
      Set(Mirror(reflecting: plain).children.map { $0.label.map { $0[...] } }) == Set(labels))
    #expect(plain.receivers == parsed.receivers && plain.format == parsed.format)
    #expect(plain.encoding == parsed.encoding)
    #expect(plain.source == parsed.source && plain.rows == parsed.rows)
    #expect(values(plain.storing) == values(parsed.storing))
    #expect(values(plain.reading) == values(parsed.reading))
    #expect(values(plain.running) == values(parsed.running))
    #expect(values(plain.reporting) == values(parsed.reporting))
  }

  @Test(
    "what is not as plain as that is the parser's",
    arguments: [
      [], ["pq://a"], ["pq://a", "t"], ["pq://a", "t", "u", "--to", "pq://b"],
      ["pq://a", "t", "--to"], ["pq://a", "t", "--to", "-"], ["pq://a", "t", "--to=pq://b"],
      ["pq://a", "t", "--to", "b", "--format", "text", "--format", "csv"],
      ["pq://a", "t", "--to", "b", "--format", "nothing"],
      ["pq://a", "t", "--to", "b", "--jobs", "2"],
      ["pq://a", "t", "--to", "b", "-q", "-q"], ["pq://a", "t", "--to", "b", "-h"],
      ["pq://a", "t", "--to", "b", "--", "-x"], ["pq://a", "t", "--to", "b", "--replace"],
    ])
  func others(_ words: [String]) {
    var line = PlainCommandLine(words)
    #expect(line.read() == nil)
  }
}
