extension ConnectionOptions {
  /// Makes sure that no other encoding is asked for than UTF-8, which texts have here, or none at all.
  ///
  /// - Throws: ``PGError`` `-*000`: texts would be stored, and read, as others than they are.
  func requireSpokenEncoding() throws(PGError) {
    let asked = setting("client_encoding") ?? clientEncoding
    guard let asked, !Self.spokenEncodings.contains(Self.letters(of: asked)) else { return }
    throw .option(
      "client_encoding \(asked) cannot be used: texts travel as UTF-8",
      hint: "Leave it out (PGCLIENTENCODING, too); the server converts.")
  }

  /// As the server compares names: letters and digits only.
  private static func letters(of name: String) -> String {
    name.lowercased().filter { $0.isASCII && ($0.isLetter || $0.isNumber) }
  }

  private static let spokenEncodings: Set = ["utf8", "unicode", "auto", "sqlascii"]
}
