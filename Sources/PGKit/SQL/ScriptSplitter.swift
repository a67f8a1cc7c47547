/// Splits a script into its statements, as psql does.
///
/// A semicolon ends a statement unless it stands in a string, a quoted identifier, a dollar quote, a
/// comment, parentheses (the actions of `CREATE RULE`) or the body of a routine
/// (`BEGIN ATOMIC … END`). psql's own commands, those with a backslash, are not known; but the lines
/// `\restrict` and `\unrestrict`, which pg_dump writes, are passed over.
///
/// Source: PostgreSQL manual, "Lexical Structure"; psql's lexer.
///
/// In py-postgresql: `string.split_sql`.
public enum ScriptSplitter {
  /// One statement of a script.
  public struct Piece: Sendable, Hashable {
    /// The statement from its first token on, without the semicolon that ended it.
    ///
    /// Comments in front are in ``comments`` and not here, except hints to the planner (`/*+ … */`),
    /// which begin it, and so are line comments at the end.
    public let text: String
    /// The comments `/* … */` in front of it, a space behind each: a server's log may be searched for them.
    public let comments: String
    /// The line of the script on which ``text`` begins, from 1.
    public let line: Int
    /// Where in the script's UTF-8 ``text`` begins, in bytes.
    public let offset: Int
    /// The first word in upper case, such as `SELECT`; empty if the statement begins with none.
    ///
    /// Parentheses in front do not count.
    public let firstWord: String

    /// Which way the statement copies between server and program; `nil` if it does not.
    public var streamCopy: StreamCopy? { firstWord == "COPY" ? SQL.streamCopy(text) : nil }
  }

  /// Splits a script into its statements; those without a token are left out.
  ///
  /// What follows the last semicolon is a statement too, even if its parentheses stay open: the
  /// server will say what is missing.
  ///
  /// - Parameters:
  ///   - script: The statements, with semicolons between them.
  ///   - standardConformingStrings: The server's setting of that name; off, backslashes escape in
  ///     strings without a prefix too.
  /// - Throws: ``PGError`` with ``SQLState/syntaxError`` if a quote or a comment has no end; it says
  ///   which, and the line on which it begins.
  public static func split(
    _ script: String, standardConformingStrings: Bool = true
  ) throws(PGError) -> [Piece] {
    var reader = ScriptReader(script)
    var pieces: [Piece] = []
    while let piece = try reader.next(standardConformingStrings: standardConformingStrings) {
      pieces.append(piece)
    }
    return pieces
  }
}
