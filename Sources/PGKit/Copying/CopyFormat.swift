/// The form that the data of a COPY travels in.
///
/// Source: PostgreSQL manual, "COPY", File Formats.
public enum CopyFormat: String, Sendable, CaseIterable {
  /// One line for each row, tabs between values, backslashes for what cannot stand for itself.
  case text
  /// Comma-separated values.
  case csv
  /// The types' own binary forms: faster, but both ends must agree on every column's type.
  case binary
}
