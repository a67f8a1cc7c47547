import COpenSSL

/// What OpenSSL found wrong with a certificate chain, and with which certificate of it.
final class VerificationTrace {
  /// The first fault.
  private(set) var code: Int32 = X509_V_OK
  /// How far the faulty certificate is from the server's own.
  private(set) var depth: Int32 = 0
  /// Its subject, printable.
  private(set) var subject = ""
  /// Its issuer, printable.
  private(set) var issuer = ""

  /// Binds the trace to a session, which must not outlive it.
  func attach(to session: OpaquePointer) {
    // Index 0 is what C calls the application's data.
    SSL_set_ex_data(session, 0, Unmanaged.passUnretained(self).toOpaque())
  }

  private func record(_ context: OpaquePointer) {
    guard code == X509_V_OK else { return }
    code = X509_STORE_CTX_get_error(context)
    depth = X509_STORE_CTX_get_error_depth(context)
    guard let certificate = X509_STORE_CTX_get_current_cert(context) else { return }
    subject = Self.text(X509_get_subject_name(certificate))
    issuer = Self.text(X509_get_issuer_name(certificate))
  }

  /// OpenSSL escapes what cannot be printed, and the buffer bounds the rest.
  private static func text(_ name: OpaquePointer?) -> String {
    guard let name else { return "" }
    return withUnsafeTemporaryAllocation(of: CChar.self, capacity: 256) { buffer in
      guard let text = X509_NAME_oneline(name, buffer.baseAddress, Int32(buffer.count)) else {
        return ""
      }
      return String(cString: text)
    }
  }

  /// Looks on while OpenSSL verifies, without changing the verdict.
  static func observe(_ verdict: Int32, _ context: OpaquePointer?) -> Int32 {
    guard verdict == 0, let context,
      let session = X509_STORE_CTX_get_ex_data(context, SSL_get_ex_data_X509_STORE_CTX_idx()),
      let data = SSL_get_ex_data(OpaquePointer(session), 0)
    else { return verdict }
    Unmanaged<VerificationTrace>.fromOpaque(data).takeUnretainedValue().record(context)
    return verdict
  }
}
