/// Named queries, kept apart from the program that uses them.
///
/// The text of a library is a preface, of which nothing is made, and sections:
///
/// ```
/// [employees]
/// -- Everybody, by name.
/// SELECT * FROM employee
/// [employees_by_name]
/// *[employees] ORDER BY employee_name
/// [employee::first]
/// SELECT * FROM employee WHERE employee_name = $1
/// [now:const:first]
/// SELECT current_timestamp
/// ```
///
/// A section's head is `[name:kind:method]`, of which the last two may be left out
/// (``QuerySymbol/Kind``, ``QuerySymbol/Method``). A name with `&` in front is that of a query whose
/// result is the text of the real one. A line `*[name] …` stands for the text of a section above it.
///
/// In py-postgresql: `postgresql.lib.Library`, `ILF`.
public struct Library: Sendable, Hashable {
  /// What the library is called where it is bound; empty for one that has no name.
  public var name: String
  /// The text in front of the first section.
  public let preface: String
  /// The queries, in order; of several with the same name, the last.
  public let symbols: [QuerySymbol]
  private let indices: [String: Int]

  /// Reads the text of a library.
  ///
  /// - Parameters:
  ///   - text: The preface and the sections.
  ///   - name: What it is called where it is bound.
  /// - Throws: ``PGError`` `--LIB` naming the line that cannot be understood.
  public init(_ text: String, name: String = "") throws(PGError) {
    var reader = LibraryReader(name)
    try reader.read(text)
    self.init(name: name, preface: reader.preface, reader.symbols)
  }

  /// Makes a library of queries.
  init(name: String, preface: String, _ symbols: [QuerySymbol]) {
    self.name = name
    self.preface = preface
    var last: [String: Int] = [:]
    for (index, symbol) in symbols.enumerated() { last[symbol.name] = index }
    let kept = symbols.enumerated().filter { last[$1.name] == $0 }.map(\.element)
    self.symbols = kept
    indices = Dictionary(uniqueKeysWithValues: kept.enumerated().map { ($1.name, $0) })
  }

  /// The query with this name; `nil` if there is none.
  public subscript(name: String) -> QuerySymbol? { indices[name].map { symbols[$0] } }
}
