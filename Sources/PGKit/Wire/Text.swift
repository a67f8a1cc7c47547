extension String {
  /// Texts in the protocol end with a zero byte, so one inside would end them early and what follows
  /// would be read as something else.
  ///
  /// - Throws: ``PGError`` `--OPE` naming `what` if there is one.
  func requireNoNUL(_ what: String) throws(PGError) {
    if utf8.contains(0) {
      throw .operation("\(what) contains a zero byte, which PostgreSQL's texts cannot hold")
    }
  }
}
