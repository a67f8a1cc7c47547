import ArgumentParser
import PGCommandLine
import PGConnecting
import Testing

@testable import pg_open

/// What pg-open takes for flags that are not given, where it does not ask the parser.
@Suite struct PlainFlagsTests {
  /// Each flag with its value, as text.
  private func values(_ flags: some ParsableArguments) -> [String] {
    Mirror(reflecting: flags).children.map {
      "\($0.label ?? "?") = \(String(describing: $0.value))"
    }
  }

  private func compare<Flags: PlainFlags>(_: Flags.Type) throws {
    let parsed = values(try Flags.parse([]))
    #expect(values(Flags.none) == parsed)
    #expect(Flags.forgotten.isEmpty)
    #expect(!parsed.isEmpty && !parsed.contains { $0.contains("*definition*") })
  }

  @Test("flags that are not given are what the parser takes them for")
  func defaults() throws {
    try compare(ConnectionFlags.self)
    try compare(StatementFlags.self)
    try compare(ValueFlags.self)
    try compare(OutputFlags.self)
    try compare(ExpectationFlags.self)
    try compare(LimitFlags.self)
    try compare(MessageFlags.self)
  }

  @Test(
    "what is asked for without the parser has the groups of flags that the parser fills, and no other"
  )
  func groups() throws {
    var line = PlainCommandLine(["SELECT 1"])
    let read = line.read()
    let plain = Mirror(reflecting: try #require(read)).children
    // The parser's are wrapped, and called so.
    let parsed = Mirror(reflecting: try OpenCommand.parse(["SELECT 1"])).children
    #expect(plain.map(\.label) == parsed.map { $0.label.map { String($0.drop { $0 == "_" }) } })
    let command = try OpenCommand.parse(["SELECT 1"])
    let request = try #require(read)
    #expect(values(request.statements) == values(command.statements))
    #expect(values(request.values) == values(command.values))
    #expect(values(request.output) == values(command.output))
    #expect(values(request.expectations) == values(command.expectations))
    #expect(values(request.limits) == values(command.limits))
    #expect(values(request.messages) == values(command.messages))
    #expect(values(request.connection) == values(command.connection))
    #expect(request.operands == command.operands)
  }
}
