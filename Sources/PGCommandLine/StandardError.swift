internal import Glibc

/// The place of everything that is not data.
public enum StandardError {
  /// Prints lines with one write, so that the lines of several programs do not mix.
  ///
  /// That nobody reads them changes nothing: what the program does, and its status, are not about them.
  public static func print(_ text: String) {
    var line = text.hasSuffix("\n") ? text : text + "\n"
    line.withUTF8 { _ = Descriptor.writeQuietly(UnsafeRawBufferPointer($0), to: STDERR_FILENO) }
  }

  /// Passes on what another program has said, as it said it.
  public static func pass(on bytes: UnsafeRawBufferPointer) {
    _ = Descriptor.writeQuietly(bytes, to: STDERR_FILENO)
  }
}
