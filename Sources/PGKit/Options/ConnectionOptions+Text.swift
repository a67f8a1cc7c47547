extension ConnectionOptions {
  /// Reads an IRI or a keyword string, whichever the text is.
  ///
  /// A text whose first `=` comes before anything that only an IRI has is a keyword string, such as
  /// `service=production`.
  ///
  /// - Throws: ``PGError`` with ``SQLState/clientParameterError``.
  public static func parse(_ text: String) throws(PGError) -> ConnectionOptions {
    let sign = text.first { "=/?#@[:".contains($0) }
    return sign == "=" ? try KeywordString.parse(text) : try ConnectionIRI.parse(text)
  }

  /// The options with the server settings moved into the switches for the server process.
  ///
  /// For text forms that know no settings. Source: PostgreSQL manual, "Parameter Key Words", `options`.
  func withSettingsAsSwitches() -> ConnectionOptions {
    guard !settings.isEmpty else { return self }
    let switches = settings.map { setting in
      "-c "
        + String(
          "\(setting.name)=\(setting.value)".flatMap {
            $0.isWhitespace || $0 == "\\" ? ["\\", $0] : [$0] as [Character]
          })
    }
    var result = self
    result.options = ([options].compactMap { $0 } + switches).joined(separator: " ")
    result.settings = []
    return result
  }
}

extension ConnectionOptions: CustomStringConvertible, CustomDebugStringConvertible,
  CustomReflectable
{
  /// The options as an IRI, with stars in place of secrets.
  public var description: String { ConnectionIRI.format(self, obscuringPassword: true) }

  /// The same as ``description``: a debugger's log keeps secrets too.
  public var debugDescription: String { description }

  /// What is known, by keyword, with stars in place of secrets.
  public var customMirror: Mirror {
    let known = OptionKeyword.all.compactMap { keyword -> Mirror.Child? in
      keyword.formatForDisplay(self).map { (keyword.name, $0) }
    }
    let settings = settings.map { setting -> Mirror.Child in (setting.name, setting.value) }
    return Mirror(self, children: known + settings, displayStyle: .struct)
  }
}
