internal import Glibc
internal import PGErrorCodes

/// The word before a message in a line of the stderr format: a severity, or what a further line of
/// the message begins with.
///
/// The server writes it with a colon and two blanks behind it. `lc_messages` translates it, so that
/// a log may have several languages.
struct LineLabel {
  enum Kind {
    /// `ERROR` and worse: the code is not 00000.
    case fault
    /// `LOG` and below: the code is 00000 most of the time.
    case quiet
    /// `WARNING` and `NOTICE`: any code.
    case warning
    /// `DETAIL`, `STATEMENT` and the like.
    case further
    /// `LOCATION`, which stands below every message of a verbose log.
    case location
    /// A word of a language that is not known here.
    case unknown
  }

  let start: Int
  /// Behind the colon and the two blanks.
  let end: Int
  let kind: Kind

  /// Whether a message begins here.
  var isSeverity: Bool { kind == .fault || kind == .quiet || kind == .warning }

  /// The first known label that ends at `place` or behind it.
  static func first(in head: Piece.Head, from place: Int) -> LineLabel? {
    var place = place
    while let colon = colon(in: head, from: place) {
      let start = startOfWord(in: head, before: colon)
      if let kind = kind(head, start, colon) {
        return LineLabel(start: start, end: colon + 3, kind: kind)
      }
      place = colon + 1
    }
    return nil
  }

  /// The first word that stands as a label does; nothing in it tells that it is one.
  static func unknown(in head: Piece.Head) -> LineLabel? {
    var place = head.start
    while let colon = colon(in: head, from: place) {
      // In French, a blank stands before the colon.
      let end = head.has(UInt8(ascii: " "), at: colon - 1) ? colon - 1 : colon
      let start = startOfWord(in: head, before: end)
      if end - start > 1, !(start..<end).contains(where: { isNoLetter(head.bytes[$0]) }) {
        return LineLabel(start: start, end: colon + 3, kind: .unknown)
      }
      place = colon + 1
    }
    return nil
  }

  /// The next colon with two blanks behind it.
  private static func colon(in head: Piece.Head, from place: Int) -> Int? {
    var place = place
    while place < head.end, let found = memchr(head.bytes + place, 0x3A, head.end - place) {
      let colon = UnsafeRawPointer(found) - UnsafeRawPointer(head.bytes)
      if head.has(":  ", at: colon) { return colon }
      place = colon + 1
    }
    return nil
  }

  private static func startOfWord(in head: Piece.Head, before colon: Int) -> Int {
    var start = colon
    while start > head.start, ByteKinds(of: head.bytes[start - 1]).contains(.word) { start -= 1 }
    return start
  }

  private static func isNoLetter(_ byte: UInt8) -> Bool {
    ASCIIText.isDigit(byte) || byte == UInt8(ascii: "_")
  }

  private static func kind(_ head: Piece.Head, _ start: Int, _ colon: Int) -> Kind? {
    let length = colon - start
    func matches(_ text: StaticString) -> Bool {
      text.utf8CodeUnitCount == length && head.has(text, at: start)
    }
    if matches("ERROR") || matches("FATAL") || matches("PANIC") { return .fault }
    if matches("LOG") || matches("INFO") { return .quiet }
    if matches("WARNING") || matches("NOTICE") { return .warning }
    if length <= 6, length >= 5, head.has("DEBUG", at: start),
      length == 5 || ASCIIText.isDigit(head.bytes[colon - 1])
    {
      return .quiet
    }
    if matches("DETAIL") || matches("HINT") || matches("QUERY") || matches("CONTEXT")
      || matches("STATEMENT") || matches("BACKTRACE")
    {
      return .further
    }
    if matches("LOCATION") { return .location }
    for (word, kind) in translations where matches(word) { return kind }
    return nil
  }

  /// What other languages call severities.
  ///
  /// Source: `src/backend/po` of PostgreSQL 15, for German, French, Italian, Georgian, Korean,
  /// Russian, Swedish, Ukrainian and Chinese; Japanese and Spanish leave them as they are.
  private static let translations: [(StaticString, Kind)] = [
    ("FEHLER", .fault), ("PANIK", .fault), ("WARNUNG", .warning), ("HINWEIS", .warning),
    ("ERREUR", .fault), ("ATTENTION", .warning),
    ("ERRORE", .fault), ("FATALE", .fault), ("PANICO", .fault), ("ATTENZIONE", .warning),
    ("NOTIFICA", .warning),
    ("შეცდომა", .fault), ("ფატალური", .fault), ("პანიკა", .fault), ("გაფრთხილება", .warning),
    ("ჟურნალი", .quiet), ("ინფორმაცია", .quiet), ("გამართვა", .quiet),
    ("오류", .fault), ("치명적오류", .fault), ("손상", .fault), ("경고", .warning), ("알림", .warning),
    ("로그", .quiet), ("정보", .quiet), ("디버그", .quiet),
    ("ОШИБКА", .fault), ("ВАЖНО", .fault), ("ПАНИКА", .fault), ("ПРЕДУПРЕЖДЕНИЕ", .warning),
    ("ЗАМЕЧАНИЕ", .warning), ("СООБЩЕНИЕ", .quiet), ("ИНФОРМАЦИЯ", .quiet), ("ОТЛАДКА", .quiet),
    ("FEL", .fault), ("FATALT", .fault), ("VARNING", .warning), ("NOTIS", .warning),
    ("LOGG", .quiet),
    ("ПОМИЛКА", .fault), ("ФАТАЛЬНО", .fault), ("ПАНІКА", .fault), ("ПОПЕРЕДЖЕННЯ", .warning),
    ("ПОВІДОМЛЕННЯ", .warning), ("ЗАПИСУВАННЯ", .quiet), ("ІНФОРМАЦІЯ", .quiet),
    ("НАЛАГОДЖЕННЯ", .quiet),
    ("错误", .fault), ("致命错误", .fault), ("比致命错误还过分的错误", .fault), ("警告", .warning),
    ("注意", .warning), ("日志", .quiet), ("信息", .quiet), ("调试", .quiet),
  ]
}
