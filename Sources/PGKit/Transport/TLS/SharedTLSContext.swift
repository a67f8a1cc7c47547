import Synchronization

/// The context of all TLS sessions that the same options ask for, made when the first is begun.
///
/// So the files are read once, and a request to cancel is protected exactly as the session that it is
/// about, whatever has become of the files since.
final class SharedTLSContext: Sendable {
  private let options: ConnectionOptions
  private let made = Mutex<TLSContext?>(nil)

  init(_ options: ConnectionOptions) { self.options = options }

  /// The context.
  ///
  /// - Throws: ``PGError`` `-*000` that names the file or option that cannot be used; asked again, it
  ///   looks at the files again.
  func context() throws(PGError) -> TLSContext {
    try made.withLock { (made) throws(PGError) in
      if let made { return made }
      let new = try TLSContext(options)
      made = new
      return new
    }
  }
}
