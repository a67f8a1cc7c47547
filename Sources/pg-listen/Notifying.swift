internal import PGCommandLine
internal import PGConnecting
internal import PGKit

/// `pg-listen --notify CHANNEL [PAYLOAD|-]`: sends one notification.
struct Notifying {
  /// What the server takes: a payload must be shorter than 8000 bytes.
  ///
  /// Source: PostgreSQL manual, NOTIFY.
  static let longestPayload = 7999

  private let channel: String
  private let payload: String

  /// Makes it; a payload of `-` is read from stdin to its end, without a last newline.
  ///
  /// - Throws: ``Failure`` with status 64 if the payload is too long or not UTF-8.
  init(channel: String, payload: String) throws(Failure) {
    self.channel = channel
    self.payload = payload == "-" ? try Self.standardInput() : payload
    let count = self.payload.utf8.count
    guard count <= Self.longestPayload else {
      throw Self.tooLong("the payload has \(count) bytes")
    }
  }

  /// Sends it to one server.
  ///
  /// - Throws: ``Failure``: 2 when there is no connection, 3 when the server refuses.
  func run(on iri: String?, until deadline: Deadline) throws(Failure) {
    let connecting = Connecting(program: ListenCommand.program)
    let connection = try connecting.connect(try connecting.options(iri: iri), until: deadline)
    defer { connection.close() }
    do throws(PGError) { try connection.notify(channel, payload: payload) } catch {
      throw error.explained(for: "notify").failure(of: ListenCommand.program)
    }
  }

  /// The most that is read only to say how much it is.
  private static let longestInput = 64 << 20

  private static func standardInput() throws(Failure) -> String {
    var bytes: [UInt8] = []
    var count = 0
    var last: UInt8?
    while count <= longestInput,
      let piece = try StandardInput.readPiece(
        upTo: 64 << 10, program: ListenCommand.program, while: { true })
    {
      count += piece.count
      last = piece.last ?? last
      if bytes.count <= longestPayload + 1 { bytes += piece }
    }
    if last == UInt8(ascii: "\n") { count -= 1 }
    guard count <= longestPayload else {
      let number = count > longestInput ? "more than \(longestInput)" : "\(count)"
      throw tooLong("the payload on stdin has \(number) bytes")
    }
    bytes.removeLast(bytes.count - count)
    if let index = bytes.firstIndex(of: 0) {
      throw refused(
        "the payload on stdin has a zero byte, byte \(index + 1), which no text of the server's has",
        hint: "encode it, as in Base64")
    }
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw refused("the payload on stdin is not text in UTF-8", hint: "encode it, as in Base64")
    }
    return text
  }

  private static func tooLong(_ message: String) -> Failure {
    refused(
      "\(message); the server takes at most \(longestPayload)",
      hint: "store it in a table and notify its key")
  }

  private static func refused(_ message: String, hint: String) -> Failure {
    Failure(
      .usage,
      Diagnostic(program: ListenCommand.program, message: message, details: [("HINT", hint)]))
  }
}
