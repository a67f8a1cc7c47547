/// How a SCRAM login is bound to its TLS channel (RFC 5802 section 6, RFC 5929).
enum ChannelBinding: Sendable, Hashable {
  /// Whether the login must be bound: `channel_binding`.
  enum Requirement: String, Sendable, CaseIterable {
    /// Never.
    case disable
    /// Where both ends can.
    case prefer
    /// Always, or no login.
    case require
  }

  /// Flag `n`: this end does not bind.
  case unsupported
  /// Flag `y`: this end would, but the server did not offer it. A server that did knows then that
  /// somebody between has removed the offer.
  case notOffered
  /// Flag `p`: bound by the digest of the server's certificate.
  case serverEndPoint([UInt8])

  static let plainMechanism = "SCRAM-SHA-256"
  static let boundMechanism = "SCRAM-SHA-256-PLUS"

  /// The SASL mechanism that goes with it.
  var mechanism: String { isBound ? Self.boundMechanism : Self.plainMechanism }

  /// Whether the login is bound.
  var isBound: Bool { if case .serverEndPoint = self { true } else { false } }

  /// The `gs2-header`, with which the client's first message begins.
  var header: [UInt8] {
    switch self {
    case .unsupported: Array("n,,".utf8)
    case .notOffered: Array("y,,".utf8)
    case .serverEndPoint: Array("p=tls-server-end-point,,".utf8)
    }
  }

  /// `cbind-input`: what the client's final message proves that both ends saw.
  var input: [UInt8] {
    if case .serverEndPoint(let digest) = self { header + digest } else { header }
  }

  /// Chooses between the mechanisms that a server offers.
  ///
  /// - Throws: ``PGError`` --SEC if binding is required and cannot be had, or the offer makes sense
  ///   only over TLS that is not there; --AUT if there is nothing to choose.
  static func choose(
    offered: [String], requirement: Requirement, channel: ChannelDescription
  ) throws(PGError) -> ChannelBinding {
    let isOffered = offered.contains(boundMechanism)
    if requirement == .require, !channel.isEncrypted { throw .bindingNeedsTLS }
    if isOffered, !channel.isEncrypted { throw .bindingOfferedWithoutTLS }
    let digest = requirement == .disable ? nil : channel.endpointDigest
    if isOffered, let digest { return .serverEndPoint(digest) }
    if requirement == .require { throw isOffered ? .endpointUnknown : .bindingNotOffered }
    guard offered.contains(plainMechanism) else { throw .noMechanism(of: offered) }
    return channel.isEncrypted && digest != nil ? .notOffered : .unsupported
  }
}
