/// What a login must know of the channel that it happens on.
struct ChannelDescription: Sendable, Hashable {
  /// Whether the channel is TLS.
  let isEncrypted: Bool
  /// The digest of the server's certificate as RFC 5929 wants it for `tls-server-end-point`; `nil`
  /// without TLS, and for certificates that leave it undefined, such as Ed25519's.
  let endpointDigest: [UInt8]?

  /// A channel without TLS.
  static let plain = ChannelDescription(isEncrypted: false, endpointDigest: nil)
}
