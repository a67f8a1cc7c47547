/// The answer to AuthenticationMD5Password (PostgreSQL manual, "Start-up").
enum MD5Password {
  /// `md5` and the digest of salt and the digest of password and user, which is what servers store.
  static func encode(user: String, password: [UInt8], salt: [UInt8]) throws(PGError) -> [UInt8] {
    do throws(CryptoFailure) {
      let stored = Hexadecimal.encode(try Digest.md5(password + Array(user.utf8)))
      return Array("md5".utf8) + Hexadecimal.encode(try Digest.md5(stored + salt))
    } catch {
      throw .crypto(
        error, during: "MD5 authentication",
        hint: "Systems in FIPS mode refuse MD5; let the server use scram-sha-256.")
    }
  }
}
