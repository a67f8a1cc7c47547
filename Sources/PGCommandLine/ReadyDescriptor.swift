public import ArgumentParser
internal import Glibc

/// The descriptor of `--ready-fd`, on which whoever started the program waits until it is ready.
///
/// A script need not sleep: `pg-listen … --ready-fd 3 3>ready &`, then read a line from `ready`.
public struct ReadyDescriptor: ExpressibleByArgument, Hashable, Sendable {
  private let number: CInt

  /// Reads its number.
  public init?(argument: String) {
    guard let number = CInt(argument) else { return nil }
    self.number = number
  }

  /// Makes sure that it was given to the program: later the number could be that of something which
  /// the program opened itself.
  ///
  /// Call it while the command line is checked.
  ///
  /// - Throws: `ValidationError` unless it is open for writing, and neither stdin nor stdout.
  public func validate() throws {
    guard number > STDOUT_FILENO else {
      throw ValidationError("--ready-fd must be a descriptor above 1")
    }
    let flags = fcntl(number, F_GETFL)
    guard flags >= 0, flags & O_ACCMODE != O_RDONLY else {
      throw ValidationError("--ready-fd \(number): no such descriptor is open for writing")
    }
  }

  /// Says that the program is ready: writes a newline and closes the descriptor.
  ///
  /// It does not matter if nobody waits any more.
  ///
  /// - Throws: ``Failure`` with status 1 if it cannot be written.
  public func announce(program: String) throws(Failure) {
    let fault = Descriptor.isHungUp(number) ? 0 : Self.writeNewline(to: number)
    if number > STDERR_FILENO { close(number) }
    guard fault != 0, fault != EPIPE else { return }
    throw Failure(
      .localFailure,
      Diagnostic(
        program: program, message: "--ready-fd \(number): \(Descriptor.reason(fault))"))
  }

  private static func writeNewline(to number: CInt) -> CInt {
    withUnsafeBytes(of: UInt8(ascii: "\n")) { Descriptor.write($0, to: number) }
  }
}
