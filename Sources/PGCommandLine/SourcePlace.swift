/// A place in a program's input: a file, or something on the command line.
public struct SourcePlace: Hashable, Sendable, CustomStringConvertible {
  /// The file's path, or what the text is called that is in none, as `-c 2`.
  public let name: String
  /// Whether ``name`` is a file's path.
  public let isFile: Bool
  /// The line, from 1.
  public let line: Int
  /// The column in Unicode scalars, from 1; `nil` for a whole line.
  public let column: Int?

  /// Makes a place.
  public init(_ name: String, isFile: Bool = true, line: Int, column: Int? = nil) {
    (self.name, self.isFile, self.line, self.column) = (name, isFile, line, column)
  }

  /// The place of a byte in a text.
  ///
  /// - Parameter offset: Bytes from 0.
  public init(_ name: String, isFile: Bool = true, offset: Int, in text: [UInt8]) {
    let before = text[..<min(max(offset, 0), text.count)]
    let start = before.lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? 0
    self.init(
      name, isFile: isFile, line: before.count { $0 == UInt8(ascii: "\n") } + 1,
      column: before[start...].count { $0 & 0xC0 != 0x80 } + 1)
  }

  /// `schema.sql:12:15`.
  public var description: String { "\(name):\(line)" + (column.map { ":\($0)" } ?? "") }
}
