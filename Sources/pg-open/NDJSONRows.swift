internal import PGCommandLine
internal import PGConnecting

/// Rows of a file with a JSON object, or array, on each line.
///
/// An object's keys are columns: those of the first one unless they are named; a key that a later object
/// lacks is NULL there, and one that it has beyond them is an error.
struct NDJSONRows: EachRows {
  private let lines: LineReader
  private let isSelected: Bool
  private var line = 0
  private var waiting: EachRow?
  private(set) var columns: [String]?
  private var unseen: Set<String> = []
  let header: [UInt8] = []

  var name: String { lines.name }
  var missingColumn: String? { columns?.first { unseen.contains($0) } }

  /// Opens the file and reads its first line.
  ///
  /// - Parameter wanted: The keys to take; `nil` for all.
  init(_ path: String, columns wanted: [String]?) throws(Failure) {
    lines = try LineReader(
      path, program: OpenCommand.program, while: { !Interruptions.shared.isInterrupted })
    isSelected = wanted != nil
    columns = wanted
    unseen = Set(wanted ?? [])
    waiting = try read()
  }

  mutating func next() throws(Failure) -> EachRow? {
    if let row = waiting {
      waiting = nil
      return row
    }
    return try read()
  }

  private mutating func read() throws(Failure) -> EachRow? {
    while let bytes = try lines.next() {
      line += 1
      if bytes.allSatisfy({ [0x20, 0x09, 0x0A, 0x0D].contains($0) }) { continue }
      let source = Self.ended(bytes)
      do throws(Failure) {
        return EachRow(line: line, source: source, values: try values(of: try document(bytes)))
      } catch {
        return EachRow(line: line, source: source, values: [], fault: error)
      }
    }
    return nil
  }

  private func document(_ bytes: ArraySlice<UInt8>) throws(Failure) -> JSONValue {
    do throws(JSONFault) { return try JSONValue(bytes) } catch {
      throw fault("this is no JSON: \(error.message)", line: line, column: error.offset + 1)
    }
  }

  private mutating func values(of document: JSONValue) throws(Failure) -> [EachValue] {
    switch document {
    case .array(let values) where !isSelected:
      let columns = self.columns ?? values.indices.map { "\($0 + 1)" }
      self.columns = columns
      guard values.count == columns.count else {
        throw fault(
          "the array has \(values.count) values, and the first row \(columns.count)", line: line)
      }
      return values.map { .json($0) }
    case .object(let members):
      let columns = self.columns ?? members.map(\.key)
      self.columns = columns
      if !unseen.isEmpty { unseen.subtract(members.map(\.key)) }
      let known = Dictionary(members.map { ($0.key, $0.value) }) { $1 }
      if !isSelected, let odd = members.first(where: { !columns.contains($0.key) }) {
        throw fault(
          "the first row has no key \"\(odd.key)\": --each-columns names those to use", line: line)
      }
      return columns.map { .json(known[$0] ?? .null) }
    default: throw fault("a row is an object or an array of JSON", line: line)
    }
  }

  private static func ended(_ bytes: ArraySlice<UInt8>) -> [UInt8] {
    bytes.last == UInt8(ascii: "\n") ? Array(bytes) : bytes + [UInt8(ascii: "\n")]
  }
}
