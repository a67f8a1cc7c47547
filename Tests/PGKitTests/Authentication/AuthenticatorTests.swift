import PGErrorCodes
import Testing

@testable import PGKit

@Suite struct AuthenticatorTests {
  private static let tls = ChannelDescription(isEncrypted: true, endpointDigest: [1, 2, 3])

  private static func make(
    password: String? = "pencil", require: String? = nil,
    binding: ChannelBinding.Requirement = .prefer, channel: ChannelDescription = .plain,
    limit: Int? = nil
  ) throws -> Authenticator {
    Authenticator(
      user: "md5_user", password: password,
      policy: try AuthenticationPolicy(
        requireAuth: require, channelBinding: binding, iterationLimit: limit),
      channel: channel, clientNonce: "client")
  }

  /// What the authenticator makes of one request after another: `send`, `wait`, `accepted`, or the
  /// code of the error, which ends it.
  private static func play(
    _ authenticator: inout Authenticator, _ requests: [AuthenticationRequest]
  ) -> [String] {
    var log: [String] = []
    for request in requests {
      do {
        switch try authenticator.receive(request) {
        case .send: log.append("send")
        case .wait: log.append("wait")
        case .accepted: log.append("accepted")
        }
      } catch {
        log.append("\(error.code)")
        break
      }
    }
    return log
  }

  private static let scram = AuthenticationRequest.sasl(["SCRAM-SHA-256"])
  private static let both = AuthenticationRequest.sasl(["SCRAM-SHA-256-PLUS", "SCRAM-SHA-256"])
  private static let md5 = AuthenticationRequest.md5Password(salt: [0x2a, 0x3d, 0x8f, 0xe0])

  /// A whole SCRAM conversation with an honest server, until before AuthenticationOk.
  private func converse(
    _ authenticator: inout Authenticator, _ server: ScriptedSCRAMServer = .init(),
    offer: AuthenticationRequest = scram
  ) throws -> (challenge: [UInt8], final: [UInt8], isProofGood: Bool) {
    let (initial, challenge) = try begin(&authenticator, server, offer: offer)
    guard
      case .send(let message) = try authenticator.receive(.saslContinue(challenge)),
      let response = message as? SASLResponse
    else { throw OutOfBytes() }
    let (final, isProofGood) = try server.final(to: initial, challenge, response)
    return (challenge, final, isProofGood)
  }

  private func begin(
    _ authenticator: inout Authenticator, _ server: ScriptedSCRAMServer = .init(),
    offer: AuthenticationRequest = scram
  ) throws -> (SASLInitialResponse, [UInt8]) {
    guard case .send(let message) = try authenticator.receive(offer),
      let initial = message as? SASLInitialResponse
    else { throw OutOfBytes() }
    return (initial, server.first(to: initial))
  }

  // MARK: Methods

  @Test("is let in without being asked")
  func trust() throws {
    var authenticator = try Self.make(password: nil)
    let log = Self.play(&authenticator, [.ok])
    #expect(log == ["accepted"])
  }

  @Test("sends the password when it is asked for")
  func cleartext() throws {
    var authenticator = try Self.make()
    let answer = try authenticator.receive(.cleartextPassword)
    guard case .send(let message) = answer, let password = message as? PasswordMessage else {
      Issue.record("nothing to send")
      return
    }
    #expect(password.password == Array("pencil".utf8))
    let log = Self.play(&authenticator, [.ok])
    #expect(log == ["accepted"])
  }

  @Test("sends the MD5 digest when it is asked for")
  func digest() throws {
    var authenticator = try Self.make(password: "password")
    let answer = try authenticator.receive(Self.md5)
    guard case .send(let message) = answer, let password = message as? PasswordMessage else {
      Issue.record("nothing to send")
      return
    }
    let want = "md562af4dd09bbb41884907a838a3233294"
    #expect(String(decoding: password.password, as: UTF8.self) == want)
    let log = Self.play(&authenticator, [.ok])
    #expect(log == ["accepted"])
  }

  @Test("goes through SCRAM, with and without TLS", arguments: [ChannelDescription.plain, tls])
  func goesThroughSCRAM(channel: ChannelDescription) throws {
    for offer in channel.isEncrypted ? [Self.scram, Self.both] : [Self.scram] {
      var authenticator = try Self.make(channel: channel)
      let (_, final, isProofGood) = try converse(&authenticator, offer: offer)
      #expect(isProofGood)
      let log = Self.play(&authenticator, [.saslFinal(final), .ok])
      #expect(log == ["wait", "accepted"])
    }
  }

  @Test("accepts one iteration and any length of salt")
  func smallCounts() throws {
    for salt in [[7], [UInt8](repeating: 7, count: 1000)] as [[UInt8]] {
      var authenticator = try Self.make()
      let server = ScriptedSCRAMServer(salt: salt, iterations: 1)
      let (_, final, isProofGood) = try converse(&authenticator, server)
      #expect(isProofGood)
      let log = Self.play(&authenticator, [.saslFinal(final), .ok])
      #expect(log == ["wait", "accepted"])
    }
  }

  @Test(
    "refuses methods that it does not have",
    arguments: [
      .kerberosV5, .scmCredential, .gss, .sspi, .unknown(4), .unknown(255), .unknown(-1),
      .sasl(["PLAIN"]),
    ] as [AuthenticationRequest])
  func unsupported(request: AuthenticationRequest) throws {
    var authenticator = try Self.make()
    let log = Self.play(&authenticator, [request])
    #expect(log == ["--AUT"])
  }

  @Test(
    "sends no empty password",
    arguments: [nil, ""] as [String?],
    [.cleartextPassword, md5, scram] as [AuthenticationRequest])
  func noPassword(password: String?, request: AuthenticationRequest) throws {
    var authenticator = try Self.make(password: password)
    do {
      _ = try authenticator.receive(request)
      Issue.record("an empty password was sent")
    } catch {
      #expect(error.code == .invalidPassword)
      #expect(error.fault == .caller)
      #expect(error.message.hasPrefix("no password supplied"))
      #expect(error.hint?.contains("PGPASSWORD") == true)
    }
  }

  @Test(
    "sends no password with a zero byte",
    arguments: [.cleartextPassword, md5, scram] as [AuthenticationRequest])
  func zeroByte(request: AuthenticationRequest) throws {
    var authenticator = try Self.make(password: "pen\0cil")
    let log = Self.play(&authenticator, [request])
    #expect(log == ["-*000"])
  }

  // MARK: require_auth and channel_binding

  /// The list, and the methods of those tried below that it allows.
  static let lists: [(String?, Set<AuthenticationMethod>)] = [
    (nil, [.none, .password, .md5, .scramSHA256]),
    ("none", [.none]),
    ("password", [.password]),
    ("md5", [.md5]),
    ("scram-sha-256", [.scramSHA256]),
    ("md5,scram-sha-256", [.md5, .scramSHA256]),
    ("none,scram-sha-256", [.none, .scramSHA256]),
    ("gss,sspi,oauth", []),
    ("!none", [.password, .md5, .scramSHA256]),
    ("!password,!md5", [.none, .scramSHA256]),
    ("!scram-sha-256", [.none, .password, .md5]),
    ("!password,!md5,!scram-sha-256,!none", []),
  ]

  @Test(
    "allows what require_auth and channel_binding allow, before anything is sent",
    arguments: lists, ChannelBinding.Requirement.allCases)
  func allows(
    list: (String?, Set<AuthenticationMethod>), binding: ChannelBinding.Requirement
  ) throws {
    let requests: [(AuthenticationMethod, AuthenticationRequest, canBind: Bool)] = [
      (.none, .ok, false), (.password, .cleartextPassword, false), (.md5, Self.md5, false),
      (.scramSHA256, Self.scram, false), (.scramSHA256, Self.both, true),
    ]
    for channel in [ChannelDescription.plain, Self.tls] {
      for (method, request, canBind) in requests {
        // Refused for its own reason, and tested beside it.
        if canBind, !channel.isEncrypted { continue }
        var authenticator = try Self.make(require: list.0, binding: binding, channel: channel)
        let log = Self.play(&authenticator, [request])
        let want: String
        if !list.1.contains(method) {
          want = "--AUT"
        } else if binding == .require, !canBind {
          want = "--SEC"
        } else {
          want = request == .ok ? "accepted" : "send"
        }
        #expect(log == [want], "\(request) over \(channel)")
      }
    }
  }

  @Test("refuses GSSAPI and SSPI by require_auth before it says that it has neither")
  func excludedGSS() throws {
    for request in [AuthenticationRequest.gss, .sspi] {
      var authenticator = try Self.make(require: "scram-sha-256")
      do {
        _ = try authenticator.receive(request)
        Issue.record("\(request) was answered")
      } catch { #expect(error.message.contains("require_auth \"scram-sha-256\"")) }
    }
  }

  @Test(
    "needs channel binding where it is required, whatever the server does",
    arguments: [
      .ok, .cleartextPassword, md5, .gss, .sspi, .kerberosV5, .scmCredential, .unknown(99), scram,
      .gssContinue([]),
    ] as [AuthenticationRequest], [nil, "pencil"] as [String?])
  func bindingRequired(request: AuthenticationRequest, password: String?) throws {
    var authenticator = try Self.make(password: password, binding: .require, channel: Self.tls)
    let log = Self.play(&authenticator, [request])
    #expect(log == ["--SEC"])
  }

  @Test("is satisfied by channel binding that is complete")
  func bindingComplete() throws {
    var authenticator = try Self.make(
      require: "scram-sha-256", binding: .require, channel: Self.tls)
    let (_, final, isProofGood) = try converse(&authenticator, offer: Self.both)
    #expect(isProofGood)
    let log = Self.play(&authenticator, [.saslFinal(final), .ok])
    #expect(log == ["wait", "accepted"])
  }

  @Test("goes without binding where the certificate does not allow it, unless it is required")
  func unbindableCertificate() throws {
    let channel = ChannelDescription(isEncrypted: true, endpointDigest: nil)
    var strict = try Self.make(binding: .require, channel: channel)
    let refused = Self.play(&strict, [Self.both])
    #expect(refused == ["--SEC"])
    var lenient = try Self.make(channel: channel)
    let (_, final, isProofGood) = try converse(&lenient, offer: Self.both)
    #expect(isProofGood)
    let log = Self.play(&lenient, [.saslFinal(final), .ok])
    #expect(log == ["wait", "accepted"])
  }

  // MARK: Servers that break the rules

  @Test(
    "does not take AuthenticationOk in the middle of SCRAM",
    arguments: [nil, "none,scram-sha-256"])
  func okTooEarly(require: String?) throws {
    var first = try Self.make(require: require)
    let begun = Self.play(&first, [Self.scram, .ok])
    #expect(begun == ["send", "--SEC"])
    var second = try Self.make(require: require)
    _ = try converse(&second)
    let proved = Self.play(&second, [.ok])
    #expect(proved == ["--SEC"])
  }

  @Test("does not take a wrong signature, an error, or anything after the signature")
  func wrongFinal() throws {
    let signature = Base64.encode([UInt8](repeating: 7, count: 32))
    for (text, code) in [
      ("v=\(signature)", "--SEC"), ("v=", "08P01"), ("", "08P01"), ("e=other-error", "28000"),
      ("e=invalid-proof", "28P01"), ("x=\(signature)", "08P01"),
    ] {
      var authenticator = try Self.make()
      _ = try converse(&authenticator)
      let log = Self.play(&authenticator, [.saslFinal(Array(text.utf8))])
      #expect(log == [code], "\(text)")
    }
    for trailing in [",x=y", ",", "\0", " ", "A", "="] {
      var authenticator = try Self.make()
      let (_, final, _) = try converse(&authenticator)
      let log = Self.play(&authenticator, [.saslFinal(final + Array(trailing.utf8))])
      #expect(log == ["08P01"], "\(trailing)")
    }
  }

  @Test("does not take the signature of a server that does not know the password")
  func otherPassword() throws {
    var authenticator = try Self.make()
    let (_, final, isProofGood) = try converse(
      &authenticator, ScriptedSCRAMServer(password: "pen"))
    #expect(!isProofGood)
    let log = Self.play(&authenticator, [.saslFinal(final)])
    #expect(log == ["--SEC"])
  }

  @Test("takes each step of SCRAM once and in its place")
  func order() throws {
    var twiceFinal = try Self.make()
    let (_, final, _) = try converse(&twiceFinal)
    var log = Self.play(&twiceFinal, [.saslFinal(final), .saslFinal(final), .ok])
    #expect(log == ["wait", "08P01"])

    var twiceContinue = try Self.make()
    let (challenge, _, _) = try converse(&twiceContinue)
    log = Self.play(&twiceContinue, [.saslContinue(challenge)])
    #expect(log == ["08P01"])

    var finalFirst = try Self.make()
    log = Self.play(&finalFirst, [Self.scram, .saslFinal(final)])
    #expect(log == ["send", "08P01"])

    var continueAfterFinal = try Self.make()
    let (again, end, _) = try converse(&continueAfterFinal)
    log = Self.play(&continueAfterFinal, [.saslFinal(end), .saslContinue(again)])
    #expect(log == ["wait", "08P01"])
  }

  @Test(
    "takes nothing that continues what has not begun",
    arguments: [.saslContinue([]), .saslFinal([]), .gssContinue([])] as [AuthenticationRequest])
  func continuesNothing(request: AuthenticationRequest) throws {
    var authenticator = try Self.make()
    let log = Self.play(&authenticator, [request])
    #expect(log == ["08P01"])
  }

  @Test("is asked once: no second method after the first, none in the middle of SCRAM")
  func askedTwice() throws {
    let others: [AuthenticationRequest] = [
      .cleartextPassword, Self.md5, Self.scram, .gss, .sspi, .unknown(99),
    ]
    for second in others {
      for first in [.cleartextPassword, Self.md5, Self.scram] {
        var authenticator = try Self.make()
        let log = Self.play(&authenticator, [first, second])
        #expect(log == ["send", "08P01"], "\(second) after \(first)")
      }
      var proved = try Self.make()
      _ = try converse(&proved)
      let log = Self.play(&proved, [second])
      #expect(log == ["08P01"], "\(second) after the proof")
    }
  }

  @Test("answers nothing after a failure, and nothing after acceptance")
  func isOver() throws {
    for first in [AuthenticationRequest.gss, .ok] {
      for second in [AuthenticationRequest.ok, .cleartextPassword, Self.scram] {
        var authenticator = try Self.make()
        _ = try? authenticator.receive(first)
        let log = Self.play(&authenticator, [second])
        #expect(log == ["08P01"])
      }
    }
  }

  @Test("does not answer a challenge that breaks the rules")
  func challenges() throws {
    for (text, code) in [
      ("r=client,s=QUJD,i=1", "08P01"), ("r=other,s=QUJD,i=1", "08P01"),
      ("r=clientx,s=,i=1", "08P01"), ("m=1,r=clientx,s=QUJD,i=1", "08P01"),
      ("r=clientx,s=QUJD,i=101", "--SEC"), ("r=clientx,s=QUJD,i=2147483648", "--SEC"),
      ("e=other-error", "08P01"), ("", "08P01"),
    ] {
      var authenticator = try Self.make(limit: 100)
      let log = Self.play(&authenticator, [Self.scram, .saslContinue(Array(text.utf8)), .ok])
      #expect(log == ["send", code], "\(text)")
    }
  }

  @Test("stops in the middle of a computation when it is told to")
  func deadline() throws {
    var authenticator = try Self.make(limit: .max)
    let (_, challenge) = try begin(
      &authenticator, ScriptedSCRAMServer(iterations: 2_147_483_647))
    var looks = 0
    do {
      _ = try authenticator.receive(.saslContinue(challenge)) {
        looks += 1
        return looks == 3
      }
      Issue.record("the computation was not stopped")
    } catch { #expect(error.code == .connectTimeoutError) }
    #expect(looks == 3)
  }

  @Test("names no password in any error")
  func secrets() throws {
    let secret = "s3cr3t!"
    let finals = ["v=AAAA", "e=x", ""].map { AuthenticationRequest.saslFinal(Array($0.utf8)) }
    let requests: [AuthenticationRequest] = [
      .kerberosV5, .gss, .sspi, .unknown(7), .sasl([]), .sasl(["PLAIN"]), .saslContinue([]),
    ]
    for request in requests + finals {
      for (require, binding) in [(nil, .prefer), ("md5", .prefer), (nil, .require)]
        as [(String?, ChannelBinding.Requirement)]
      {
        var authenticator = try Self.make(
          password: secret, require: require, binding: binding, channel: Self.tls)
        do {
          _ = try authenticator.receive(request)
        } catch {
          var dumped = ""
          dump(error, to: &dumped)
          #expect(!dumped.contains(secret) && !"\(error)".contains(secret))
        }
      }
    }
  }
}
