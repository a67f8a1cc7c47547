internal import PGCommandLine
internal import PGKit

/// The rows that were refused: each as it came, in an object of JSON with its number and the reason.
final class RejectFile {
  /// The name that it will have.
  let path: String
  private let file: OutputFileReceiver

  init(_ path: String) throws(PGError) {
    self.path = path
    file = try OutputFileReceiver(path)
  }

  func write(row: Int, _ data: [UInt8], _ error: PGError) throws(PGError) {
    var line: [UInt8] = Array("{\"row\":\(row),\"sqlstate\":\"\(error.code)\",\"message\":".utf8)
    JSONText.append(error.message, to: &line)
    for (name, value) in [
      ("column", error.fields?[.column] ?? Self.column(in: error)),
      ("constraint", error.fields?[.constraint]),
    ] {
      guard let value else { continue }
      line += Array(",\"\(name)\":".utf8)
      JSONText.append(value, to: &line)
    }
    appendData(data, to: &line)
    try file.write(line)
  }

  /// Text as a text, and what is none in hexadecimal digits.
  private func appendData(_ data: [UInt8], to line: inout [UInt8]) {
    var data = data[...]
    if data.last == UInt8(ascii: "\n") { data = data.dropLast() }
    if let text = String(validating: data, as: UTF8.self) {
      line += Array(",\"data\":".utf8)
      JSONText.append(text, to: &line)
    } else {
      let digits = data.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
      line += Array(",\"data_hex\":\"\(digits)\"".utf8)
    }
    line += Array("}\n".utf8)
  }

  /// The column in COPY's context: `COPY job, line 3, column id: "x"`.
  private static func column(in error: PGError) -> String? {
    guard let context = error.fields?.context,
      let start = context.firstRange(of: ", column ")?.upperBound,
      let end = context[start...].firstIndex(of: ":")
    else { return nil }
    return String(context[start..<end])
  }

  /// Makes sure that it is on the disk.
  func finish() throws(PGError) { _ = try file.finish() }

  /// Gives it its name.
  func publish() throws(PGError) { try file.publish() }

  func remove() { file.fail("") }
}
