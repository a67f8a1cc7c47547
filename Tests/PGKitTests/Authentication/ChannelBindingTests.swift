import Testing

@testable import PGKit

@Suite struct ChannelBindingTests {
  private static let digest: [UInt8] = [1, 2, 3]
  private static let plain = ChannelDescription.plain
  private static let tls = ChannelDescription(isEncrypted: true, endpointDigest: digest)
  /// TLS with a certificate that has no digest for binding, such as Ed25519's.
  private static let unbindable = ChannelDescription(isEncrypted: true, endpointDigest: nil)
  private static let scram = ["SCRAM-SHA-256"]
  private static let both = ["SCRAM-SHA-256-PLUS", "SCRAM-SHA-256"]
  private static let plus = ["SCRAM-SHA-256-PLUS"]

  struct Row: Sendable, CustomTestStringConvertible {
    let offered: [String]
    let channel: ChannelDescription
    let requirement: ChannelBinding.Requirement
    /// The GS2 header; `nil` if there is nothing to choose.
    let header: String?
    /// The base64 form in the final message.
    let proof: String?

    init(
      _ offered: [String], _ channel: ChannelDescription,
      _ requirement: ChannelBinding.Requirement, _ header: String?, _ proof: String? = nil
    ) {
      self.offered = offered
      self.channel = channel
      self.requirement = requirement
      self.header = header
      self.proof = proof
    }

    var testDescription: String {
      "\(offered) \(channel.isEncrypted) \(channel.endpointDigest ?? []) \(requirement)"
    }
  }

  private static let bound = "p=tls-server-end-point,,"
  private static let boundProof = "cD10bHMtc2VydmVyLWVuZC1wb2ludCwsAQID"

  static let table = [
    Row(scram, plain, .disable, "n,,", "biws"),
    Row(scram, plain, .prefer, "n,,", "biws"),
    Row(scram, plain, .require, nil),
    Row(both, plain, .disable, nil),
    Row(both, plain, .prefer, nil),
    Row(both, plain, .require, nil),
    Row(plus, plain, .prefer, nil),
    Row(scram, tls, .disable, "n,,", "biws"),
    Row(scram, tls, .prefer, "y,,", "eSws"),
    Row(scram, tls, .require, nil),
    Row(both, tls, .disable, "n,,", "biws"),
    Row(both, tls, .prefer, bound, boundProof),
    Row(both, tls, .require, bound, boundProof),
    Row(both.reversed(), tls, .prefer, bound, boundProof),
    Row(plus, tls, .disable, nil),
    Row(plus, tls, .prefer, bound, boundProof),
    Row(plus, tls, .require, bound, boundProof),
    Row(scram, unbindable, .disable, "n,,", "biws"),
    Row(scram, unbindable, .prefer, "n,,", "biws"),
    Row(scram, unbindable, .require, nil),
    Row(both, unbindable, .disable, "n,,", "biws"),
    Row(both, unbindable, .prefer, "n,,", "biws"),
    Row(both, unbindable, .require, nil),
    Row(plus, unbindable, .prefer, nil),
  ]

  @Test("chooses mechanism and flag", arguments: table)
  func chooses(row: Row) {
    let binding = try? ChannelBinding.choose(
      offered: row.offered, requirement: row.requirement, channel: row.channel)
    #expect(binding.map { String(decoding: $0.header, as: UTF8.self) } == row.header)
    #expect(binding.map { Base64.encode($0.input) } == row.proof)
    let isBound = row.header.map { $0 == Self.bound }
    #expect(binding?.isBound == isBound)
    #expect(binding?.mechanism == isBound.map { $0 ? "SCRAM-SHA-256-PLUS" : "SCRAM-SHA-256" })
  }

  private func failure(
    _ offered: [String], _ channel: ChannelDescription, _ requirement: ChannelBinding.Requirement
  ) -> String? {
    do {
      _ = try ChannelBinding.choose(offered: offered, requirement: requirement, channel: channel)
      return nil
    } catch { return "\(error.code) \(error.message)" }
  }

  @Test("has an error of its own for each reason")
  func reasons() {
    let reasons = [
      failure([], Self.tls, .prefer),
      failure(["PLAIN", "X\u{1b}[2J"], Self.tls, .prefer),
      failure(Self.both, Self.plain, .prefer),
      failure(Self.scram, Self.plain, .require),
      failure(Self.scram, Self.tls, .require),
      failure(Self.both, Self.unbindable, .require),
    ]
    #expect(
      reasons == [
        "08P01 the server asked for SASL authentication without a mechanism",
        "--AUT none of the server's SASL mechanisms can be used: PLAIN, (malformed)",
        "--SEC the server offered SCRAM-SHA-256-PLUS over a connection without TLS",
        "--SEC channel binding is required, but the connection is not encrypted",
        "--SEC channel binding is required, but the server does not offer SCRAM-SHA-256-PLUS",
        "--SEC channel binding is required, but the server's certificate does not allow it",
      ])
  }
}
