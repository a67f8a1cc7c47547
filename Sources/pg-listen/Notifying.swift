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
      throw Self.refused(
        "the payload has \(count) bytes; the server takes at most \(Self.longestPayload)",
        hint: "store it in a table and notify its key")
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
      throw error.failure(of: ListenCommand.program)
    }
  }

  private static func standardInput() throws(Failure) -> String {
    var bytes: [UInt8] = []
    // One more than fits, and a newline, are enough to see that it is too long.
    while bytes.count <= longestPayload + 1,
      let piece = try StandardInput.readPiece(
        upTo: longestPayload + 2 - bytes.count, program: ListenCommand.program, while: { true })
    { bytes += piece }
    if bytes.last == UInt8(ascii: "\n") { bytes.removeLast() }
    guard bytes.count <= longestPayload else {
      throw refused(
        "the payload on stdin is longer than \(longestPayload) bytes, which the server takes at most",
        hint: "store it in a table and notify its key")
    }
    guard !bytes.contains(0), let text = String(validating: bytes, as: UTF8.self) else {
      throw refused("the payload on stdin is not text in UTF-8", hint: "encode it, as in Base64")
    }
    return text
  }

  private static func refused(_ message: String, hint: String) -> Failure {
    Failure(
      .usage,
      Diagnostic(program: ListenCommand.program, message: message, details: [("HINT", hint)]))
  }
}
