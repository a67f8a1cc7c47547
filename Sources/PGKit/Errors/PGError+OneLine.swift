import PGErrorCodes

extension PGError: CustomStringConvertible {
  /// One line: severity, code, message, without the values of parameters, so that it may be logged.
  ///
  /// PGKit puts no value and no secret into a message, but the server quotes what it refuses. A
  /// message is whole where the server can only mean names: where it points at a place of the
  /// statement's own text, breaks a constraint, or refuses or ends the session. Of all others, and of
  /// every message about data (class 22), the line leaves out what stands in quotation marks, numbers,
  /// and in class 42 what follows a colon; ``message`` and ``report`` have it. What an application's
  /// own RAISE says without quotation marks is its author's and stays.
  public var description: String {
    let text = fault == .server && mayQuoteValues ? message.withoutValues(of: code) : message
    return "\(severity) \(code): \(text)".onOneLine
  }

  /// Severity, code and the whole message.
  var headline: String { "\(severity) \(code): \(message)".onOneLine }

  /// The word in front: the server's own (not localized), or `ERROR`.
  public var severity: String { fields?.severity ?? "ERROR" }

  private var mayQuoteValues: Bool {
    switch code.classCharacters {
    case "22": true
    // The values of a row are in the detail.
    case "23": false
    default: fields?.position == nil && fields?.isFatal != true
    }
  }
}

extension String {
  fileprivate var onOneLine: String {
    split(whereSeparator: \.isNewline).joined(separator: " ")
  }

  /// The text with an ellipsis for every value that it may quote.
  fileprivate func withoutValues(of code: SQLState) -> String {
    let text = withoutQuotedText
    // `operator does not exist: +++`
    let isName = code.classCharacters == "42"
    guard isName, let colon = text.firstRange(of: ": "), !text[colon.upperBound...].hasMark else {
      return text.withoutNumbers
    }
    return String(text[..<colon.upperBound]).withoutNumbers + "…"
  }

  /// The text with an ellipsis for what stands between the first quotation mark and the last, in
  /// whatever language the server speaks.
  ///
  /// From the first to the last, because a value may hold quotation marks too.
  private var withoutQuotedText: String {
    guard let first = firstIndex(where: \.isQuotationMark),
      let last = lastIndex(where: \.isQuotationMark), first < last
    else { return self }
    return String(self[...first]) + "…" + String(self[last...])
  }

  /// The text with an ellipsis for words that begin with a digit or a sign, and for bytes that the
  /// server shows as `0xff`.
  private var withoutNumbers: String {
    split(separator: " ", omittingEmptySubsequences: false).map { word in
      if word.hasPrefix("0x") { return "0x…" }
      guard let first = word.first, !first.isLetter, !first.isQuotationMark, first != "(",
        word.contains(where: { !$0.isPunctuation }) || first.isSymbol
      else { return String(word) }
      return "…"
    }.joined(separator: " ")
  }
}

extension Substring {
  fileprivate var hasMark: Bool { contains(where: \.isQuotationMark) }
}

extension Character {
  fileprivate var isQuotationMark: Bool {
    switch self {
    case "\"", "«", "»", "„", "“", "”", "「", "」", "‹", "›": true
    default: false
    }
  }
}
