/// A named query of a library.
///
/// In py-postgresql: `postgresql.lib.Symbol`.
public struct QuerySymbol: Sendable, Hashable {
  /// What is done with its text, and when.
  public enum Kind: String, Sendable, CaseIterable {
    /// Prepared when it is first used, and kept.
    case `static`
    /// Prepared when the library is bound.
    case preload
    /// Run when the library is bound; its result stands for it from then on.
    case const
    /// The text names a function or procedure of the database.
    case proc
    /// Prepared for each use, and not kept.
    case transient
  }

  /// How it runs.
  public enum Method: String, Sendable, CaseIterable {
    /// All rows at once.
    case all
    /// The first value, row or count.
    case first
    /// The rows as they arrive.
    case rows
    /// The rows as they arrive, in batches.
    case chunks
    /// The values of the first column as they arrive.
    case column
    /// A cursor over the rows.
    case declare
    /// Once for each row of parameters; or the lines of a COPY.
    case loadRows = "load_rows"
    /// The same, in chunks.
    case loadChunks = "load_chunks"
  }

  /// Its name.
  public let name: String
  /// What is done with its text, and when.
  public let kind: Kind
  /// How it runs.
  public let method: Method
  /// The query; of a ``Kind/proc``, the name or signature.
  public let sql: String
  /// The comment that stands in front of the query.
  public let documentation: String
  /// Whether the query is run to get the text of the real one.
  public let isReference: Bool
  /// The line of the library at which it begins, from 1.
  public let line: Int
}
