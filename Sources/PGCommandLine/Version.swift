/// The version of the programs and of the library they are built from.
public enum Version {
  /// The version's number: one for the programs and the library.
  public static let number = "0.1.0"

  /// What `--version` prints.
  public static func line(program: String) -> String { "\(program) (PGKit) \(number)" }
}
