import COpenSSL

/// Carries TLS records between OpenSSL and a socket.
///
/// OpenSSL's own socket BIO writes with `write`, which raises SIGPIPE when the other end is gone,
/// and a pair of memory BIOs would copy every byte once more. So OpenSSL is given a BIO that calls
/// ``Socket``.
final class SocketBIO {
  let socket: Socket
  /// Why the socket failed, since OpenSSL has no place for it.
  private(set) var failure: PGError?
  /// Whether the socket came to its end.
  private(set) var hasEnded = false

  init(_ socket: Socket) { self.socket = socket }

  /// Makes a BIO that works for this object and must not outlive it.
  func makeHandle() -> OpaquePointer? {
    guard let method = Self.method, let bio = BIO_new(method) else { return nil }
    BIO_set_data(bio, Unmanaged.passUnretained(self).toOpaque())
    BIO_set_init(bio, 1)
    return bio
  }

  private func read(into buffer: UnsafeMutableRawBufferPointer, _ bio: OpaquePointer) -> Int32 {
    BIO_clear_flags(bio, OpenSSL.retryFlags)
    do throws(PGError) {
      switch try socket.read(into: buffer) {
      case .moved(let count): return Int32(truncatingIfNeeded: count)
      case .ended: hasEnded = true
      case .waitToRead, .waitToWrite:
        BIO_set_flags(bio, OpenSSL.retryReading)
        return -1
      }
    } catch {
      failure = error
      return -1
    }
    return 0
  }

  private func write(_ bytes: UnsafeRawBufferPointer, _ bio: OpaquePointer) -> Int32 {
    BIO_clear_flags(bio, OpenSSL.retryFlags)
    do throws(PGError) {
      if case .moved(let count) = try socket.write(bytes) {
        return Int32(truncatingIfNeeded: count)
      }
      BIO_set_flags(bio, OpenSSL.retryWriting)
    } catch {
      failure = error
    }
    return -1
  }

  private static func owner(of bio: OpaquePointer?) -> (SocketBIO, OpaquePointer)? {
    guard let bio, let data = BIO_get_data(bio) else { return nil }
    return (Unmanaged<SocketBIO>.fromOpaque(data).takeUnretainedValue(), bio)
  }

  /// Made once, when TLS is first asked for.
  private nonisolated(unsafe) static let method: OpaquePointer? = {
    let kind = BIO_get_new_index() | BIO_TYPE_SOURCE_SINK
    guard let method = BIO_meth_new(kind, "PGKit socket") else { return nil }
    BIO_meth_set_read(method) { bio, buffer, count in
      guard let (owner, bio) = SocketBIO.owner(of: bio), count > 0 else { return 0 }
      return owner.read(into: .init(start: buffer, count: Int(count)), bio)
    }
    BIO_meth_set_write(method) { bio, bytes, count in
      guard let (owner, bio) = SocketBIO.owner(of: bio), count > 0 else { return 0 }
      return owner.write(.init(start: bytes, count: Int(count)), bio)
    }
    BIO_meth_set_ctrl(method) { bio, command, _, _ in
      switch command {
      case BIO_CTRL_FLUSH: 1
      case BIO_CTRL_EOF: SocketBIO.owner(of: bio)?.0.hasEnded == true ? 1 : 0
      default: 0
      }
    }
    return method
  }()
}
