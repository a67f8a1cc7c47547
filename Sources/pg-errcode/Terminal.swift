internal import Glibc

/// What stdout is, which changes how answers look and nothing else.
enum Terminal {
  static var isOutput: Bool { isatty(STDOUT_FILENO) == 1 }

  /// Whether answers have colour: on a terminal that has any, unless `NO_COLOR` says otherwise.
  static var hasColour: Bool { isOutput && value("NO_COLOR").isEmpty && value("TERM") != "dumb" }

  private static func value(_ name: String) -> String {
    getenv(name).map { String(cString: $0) } ?? ""
  }
}
