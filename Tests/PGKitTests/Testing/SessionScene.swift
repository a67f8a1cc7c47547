@testable import PGKit

/// A point in a conversation that a server can say something at.
struct SessionScene: Sendable, CustomStringConvertible {
  let description: String
  /// The `>` line that begins the conversation; empty for an idle session.
  let begin: String
  private let words: [Word]
  /// What the server has said since.
  private let said: [[UInt8]]
  /// What becomes of each message that is not simply unexpected, by its name in ``samples``.
  let outcomes: [String: String]

  init(_ name: String, _ begin: String, _ said: [String] = [], _ outcomes: [String: String]) {
    description = name
    self.begin = begin
    words = (try? Word.split(begin)) ?? []
    self.said = said.map { text in
      do { return try BackendEncoder.encode(text) } catch { fatalError("\(error)") }
    }
    self.outcomes = outcomes
  }

  private static let loginWords: [Word] = [
    .bare("startup"), .bare("3.0"), .bare("user=jwp"),
  ]
  private static let login =
    try? BackendEncoder.encode("AuthenticationOk")
    + BackendEncoder.encode("ReadyForQuery I")

  /// Whether the conversation is the start-up itself.
  var isStartup: Bool { begin.hasPrefix("startup") }

  /// A session at this point.
  func play() throws -> ScenePlayer {
    let player = ScenePlayer()
    if !isStartup {
      player.conversation = try Conversation.begun(by: Self.loginWords)
      try player.begin()
      _ = player.receive(Self.login ?? [])
    }
    player.conversation = try Conversation.begun(by: words)
    try player.begin()
    for bytes in said { _ = player.receive(bytes) }
    return player
  }
}

/// A session in the middle of a conversation.
final class ScenePlayer {
  var session = Session()
  var conversation: Conversation?

  func begin() throws { try conversation?.begin(&session) }

  /// What becomes of `bytes`: `accepted`, `finished`, `error CODE` with the session ready again, or
  /// `over CODE`.
  func receive(_ bytes: some Sequence<UInt8>) -> String {
    session.feed(bytes)
    do throws(PGError) {
      guard let conversation else {
        try session.advanceIdle()
        return "accepted"
      }
      // Each step consumes a message, so there cannot be more steps than bytes.
      for _ in 0..<1_000_000 {
        switch try conversation.advance(&session) {
        case .needsBytes: return "accepted"
        case .finished: return "finished"
        case .rows, .copyData, .delivered: continue
        }
      }
      return "loops"
    } catch {
      if case .failed = session.state { return "over \(error.code)" }
      return "error \(error.code)"
    }
  }
}

extension SessionScene {
  private static let error = #"S "ERROR" V "ERROR" C "42601" M "m" \x00"#

  /// A message of each type, well formed, by name.
  static let samples: [String: String] = [
    "R": "AuthenticationOk", "R/password": "AuthenticationCleartextPassword",
    "R/final": "AuthenticationSASLFinal 'v=x'",
    "K": "BackendKeyData 7 '1234'", "2": "BindComplete", "3": "CloseComplete",
    "C": "CommandComplete \"SELECT 1\"", "W": "CopyBothResponse \\x00 1 0",
    "d": "CopyData 'data'", "c": "CopyDone", "G": "CopyInResponse \\x00 1 0",
    "H": "CopyOutResponse \\x00 1 0", "D": "DataRow 2 1 'a' -1", "I": "EmptyQueryResponse",
    "E": "ErrorResponse \(error)",
    "E/fatal": "ErrorResponse \(error.replacing("ERROR", with: "FATAL"))",
    "V": "FunctionCallResponse 1 'x'", "v": "NegotiateProtocolVersion 196608 0", "n": "NoData",
    "N": "NoticeResponse \(error)", "A": "NotificationResponse 1 \"c\" \"p\"",
    "t": "ParameterDescription 1 23", "S": "ParameterStatus \"a\" \"b\"", "1": "ParseComplete",
    "s": "PortalSuspended", "Z": "ReadyForQuery I",
    "T": "RowDescription 2 \"a\" 0 0 23 4 -1 0 \"b\" 0 0 23 4 -1 0",
  ]

  /// What a server may say at any time once it has let the client in.
  private static let always = [
    "N": "accepted", "A": "accepted", "S": "accepted", "E": "accepted", "E/fatal": "over 42601",
  ]
  /// Before it has.
  private static let before = ["N": "accepted", "E": "over 42601", "E/fatal": "over 42601"]

  private static func busy(
    _ name: String, _ begin: String, _ said: [String], _ accepted: String,
    _ others: [String: String] = [:]
  ) -> SessionScene {
    let own = accepted.split(separator: " ").map { (String($0), "accepted") }
    let outcomes = always.merging(own) { $1 }.merging(others) { $1 }
    return SessionScene(name, begin, said, outcomes)
  }

  private static let rows = "RowDescription 2 \"a\" 0 0 23 4 -1 0 \"b\" 0 0 23 4 -1 0"
  private static let copyOut = "CopyOutResponse \\x00 1 0"
  private static let none = "ParameterDescription 0"
  private static let ready = ["Z": "finished"]
  /// What is skipped after an error: everything that has no data in it, until the server is ready.
  private static let skipped = "R R/password R/final K 2 3 C W c G H I v n t 1 s T"

  /// Every point, with what may come at it.
  ///
  /// What is not listed is answered with 08P01, and the
  /// session is over.
  static let all: [SessionScene] = [
    SessionScene(
      "startup, before a request", "startup 3.2 user=jwp password=x", [],
      before.merging(["R": "accepted", "R/password": "accepted", "v": "accepted"]) { $1 }),
    SessionScene(
      "startup, version settled", "startup 3.2 user=jwp password=x",
      ["NegotiateProtocolVersion 196608 0"],
      before.merging(["R": "accepted", "R/password": "accepted"]) { $1 }),
    SessionScene(
      "startup, password sent", "startup 3.2 user=jwp password=x",
      ["AuthenticationCleartextPassword"],
      before.merging(["R": "accepted", "v": "accepted"]) { $1 }),
    SessionScene(
      "startup, SASL begun", "startup 3.0 user=jwp password=x",
      ["AuthenticationSASL \"SCRAM-SHA-256\""],
      before.merging(["R": "over --SEC"]) { $1 }),
    SessionScene(
      "startup, accepted", "startup 3.0 user=jwp", ["AuthenticationOk"],
      [
        "N": "accepted", "A": "accepted", "S": "accepted", "K": "accepted", "Z": "finished",
        "E": "over 42601", "E/fatal": "over 42601",
      ]),
    SessionScene(
      "startup, key known", "startup 3.0 user=jwp",
      ["AuthenticationOk", "BackendKeyData 1 '1234'"],
      [
        "N": "accepted", "A": "accepted", "S": "accepted", "Z": "finished", "E": "over 42601",
        "E/fatal": "over 42601",
      ]),
    busy("idle", "", [], "", ["E": "over 42601"]),
    busy("prepare", "prepare \"s\" \"q\"", [], "1"),
    busy("prepare, parsed", "prepare \"s\" \"q\"", ["ParseComplete"], "t"),
    busy("prepare, parameters known", "prepare \"s\" \"q\"", ["ParseComplete", none], "T n"),
    busy("prepare, complete", "prepare \"s\" \"q\"", ["ParseComplete", none, rows], "", ready),
    busy("describe", "describe \"s\"", [], "t"),
    busy("describe a cursor", "describe-cursor \"c\"", [], "T n"),
    busy("batch", "batch \"s\" 2 2", [], "2"),
    busy("batch, bound", "batch \"s\" 2 2", ["BindComplete"], "D C I"),
    busy(
      "batch, one of two", "batch \"s\" 2 2", ["BindComplete", "CommandComplete \"INSERT 0 1\""],
      "2"),
    busy(
      "batch, complete", "batch \"s\" 2 2",
      [
        "BindComplete", "CommandComplete \"INSERT 0 1\"", "BindComplete", "EmptyQueryResponse",
      ], "", ready),
    busy("run", "run \"s\" 2", [], "2"),
    busy("run, bound", "run \"s\" 2", ["BindComplete"], "D C I H", ["G": "over --OPE"]),
    busy("run, copying", "run \"s\" 0", ["BindComplete", copyOut], "d c"),
    busy("run, copied", "run \"s\" 0", ["BindComplete", copyOut, "CopyDone"], "C"),
    busy("run, complete", "run \"s\" 2", ["BindComplete", "EmptyQueryResponse"], "", ready),
    busy("one-shot", "one-shot \"q\"", [], "1"),
    busy("one-shot, parsed", "one-shot \"q\"", ["ParseComplete"], "2"),
    busy("one-shot, bound", "one-shot \"q\"", ["ParseComplete", "BindComplete"], "T n"),
    busy(
      "one-shot, described", "one-shot \"q\"", ["ParseComplete", "BindComplete", rows], "D C I H",
      ["G": "over --OPE"]),
    busy("script", "script \"q\"", [], "T C I G H"),
    busy("script, rows", "script \"q\"", [rows], "D C"),
    busy("script, between statements", "script \"q\"", ["EmptyQueryResponse"], "T C I G H", ready),
    busy("copy-out", "copy-out \"q\"", [copyOut], "d c"),
    busy("copy-out, copied", "copy-out \"q\"", [copyOut, "CopyDone"], "C"),
    busy("copy-in", "copy-in \"q\"", ["CopyInResponse \\x00 1 0"], "C"),
    busy("close", "close S \"s\"", [], "3"),
    busy("close, complete", "close S \"s\"", ["CloseComplete"], "", ready),
    busy(
      "refused", "prepare \"s\" \"q\"", ["ErrorResponse \(error)"], skipped, ["Z": "error 42601"]),
    busy(
      "refused among rows", "run \"s\" 2", ["BindComplete", "ErrorResponse \(error)"],
      skipped + " D", ["Z": "error 42601"]),
    busy(
      "refused while copying out", "copy-out \"q\"", [copyOut, "ErrorResponse \(error)"],
      skipped + " d", ["Z": "error 42601"]),
    busy(
      "refused while copying in", "copy-in \"q\"",
      ["CopyInResponse \\x00 1 0", "ErrorResponse \(error)"], skipped, ["Z": "error 42601"]),
  ]
}
