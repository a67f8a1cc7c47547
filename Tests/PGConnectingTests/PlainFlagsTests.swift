import ArgumentParser
import PGCommandLine
import PGConnecting
import Testing

@testable import pg_open

/// What pg-open takes for flags that are not given, where it does not ask the parser.
@Suite struct PlainFlagsTests {
  @Test("flags that are not given are what the parser takes them for")
  func defaults() throws {
    try expectSameDefaults(ConnectionFlags.self)
    try expectSameDefaults(StatementFlags.self)
    try expectSameDefaults(ValueFlags.self)
    try expectSameDefaults(OutputFlags.self)
    try expectSameDefaults(ExpectationFlags.self)
    try expectSameDefaults(LimitFlags.self)
    try expectSameDefaults(MessageFlags.self)
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
