internal import CCommit

/// The version of the programs and of the library they are built from.
public enum Version {
  /// The version's number: one for the programs and the library.
  public static let number = "0.1.0"

  /// The commit that the program was built from, with `+` behind it if there were changes on top of it.
  ///
  /// `nil` where nobody has said so: `scripts/stamp` writes it into programs that were built for release
  /// in a checkout of git.
  public static var commit: String? {
    let bytes = Array((0...).lazy.map(pgkit_commit_byte).prefix { $0 != 0 })
    return bytes.isEmpty ? nil : String(decoding: bytes, as: UTF8.self)
  }

  /// What `--version` prints.
  public static func line(program: String) -> String {
    "\(program) (PGKit) \(number)" + (commit.map { " (\($0))" } ?? "")
  }
}
