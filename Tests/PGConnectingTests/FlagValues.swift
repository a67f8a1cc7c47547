import ArgumentParser
import PGCommandLine
import Testing

/// Each property with its value, as text.
func values(_ subject: Any) -> [String] {
  Mirror(reflecting: subject).children.map {
    "\($0.label ?? "?") = \(String(describing: $0.value))"
  }
}

/// Flags that are not given must be what the parser takes them for.
func expectSameDefaults<Flags: PlainFlags>(
  _: Flags.Type, location: SourceLocation = #_sourceLocation
) throws {
  let parsed = values(try Flags.parse([]))
  #expect(values(Flags.none) == parsed, sourceLocation: location)
  #expect(Flags.forgotten.isEmpty, sourceLocation: location)
  #expect(
    !parsed.isEmpty && !parsed.contains { $0.contains("*definition*") }, sourceLocation: location)
}
