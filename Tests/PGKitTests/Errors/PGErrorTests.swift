import PGErrorCodes
import Testing

@testable import PGKit

@Suite struct PGErrorTests {
  private func server(
    _ code: String, _ message: String = "no", severity: String = "ERROR"
  ) -> PGError {
    .server(ServerMessage([(.severity, severity), (.code, code), (.message, message)]))
  }

  @Test("is caught by its code, its class, and any ancestor, typed or not")
  func catching() {
    func caught(_ error: PGError) -> String {
      do throws(PGError) { throw error } catch SQLState.uniqueViolation {
        return "code"
      } catch SQLState.integrityConstraintViolation {
        return "class"
      } catch ErrorFamily.undefined {
        return "ancestor"
      } catch ErrorFamily.disconnection {
        return "disconnection"
      } catch { return "other" }
    }
    #expect(caught(server("23505")) == "code")
    #expect(caught(server("23503")) == "class")
    #expect(caught(server("42P01")) == "ancestor")
    #expect(caught(server("42704")) == "ancestor")
    #expect(caught(server("57P01")) == "disconnection")
    #expect(caught(.connectionFailure("it broke")) == "disconnection")
    #expect(caught(server("22012")) == "other")
    let untyped: any Error = server("42P01")
    do { throw untyped } catch ErrorFamily.undefined {} catch { Issue.record("not caught") }
    do { throw untyped } catch SQLState.undefinedTable {} catch { Issue.record("not caught") }
  }

  @Test("belongs to its own names and to every ancestor, in any case of letters")
  func kinds() {
    let error = server("42P01")
    for name in [
      "undefined_table", "UndefinedTableError", "undefinederror", "UndefinedError", "SEARVError",
      "Error", "ERRCODE_UNDEFINED_TABLE", "syntax_error_or_access_rule_violation",
    ] { #expect(error.isKind(of: name), "\(name)") }
    for name in ["TypeError", "Disconnection", "Warning", "no_such_name", "", "UniqueError"] {
      #expect(!error.isKind(of: name), "\(name)")
    }
    #expect(error.name == "UndefinedTableError")
  }

  @Test("a code that is in no table belongs to its class, and keeps its characters")
  func unknownCodes() {
    let known = server("42ZZZ")
    #expect(known.code == "42ZZZ")
    #expect(known.name == "SEARVError")
    #expect(known.isKind(of: "SEARVError"))
    #expect(!known.isKind(of: "UndefinedError"))
    let unknown = server("PT404")
    #expect(unknown.name == "Error")
    #expect(unknown.isKind(of: "Error"))
    #expect(!unknown.isSafeToRetry)
  }

  @Test(
    "is safe to retry where the server says that nothing took effect",
    arguments: [
      ("40001", true), ("40P01", true), ("40003", false), ("40002", false), ("55P03", true),
      ("53300", true), ("57P03", true), ("57P01", false), ("08006", false), ("23505", false),
      ("25P03", true), ("57014", false), ("25P02", false),
    ])
  func retry(code: String, want: Bool) {
    #expect(server(code).isSafeToRetry == want)
  }

  @Test("the driver's own knowledge that nothing was sent counts for more than the code")
  func nothingSent() {
    #expect(PGError.cannotConnect("no").isSafeToRetry)
    #expect(!PGError.connectionFailure("no").isSafeToRetry)
    #expect(PGError.connectionFailure("no").retry.answer == .ambiguous)
    // Not from the server, and no flag: nobody knows whether it was sent.
    #expect(!PGError(code: "53300", message: "no", fault: .transport).isSafeToRetry)
  }

  @Test(
    "knows the timeouts of driver and server",
    arguments: [
      ("55P03", true), ("25P03", true), ("25P04", true), ("57P05", true), ("57014", false),
      ("40001", false),
    ])
  func timeouts(code: String, want: Bool) {
    #expect(server(code).isTimeout == want)
    #expect(PGError(code: "57014", message: "late", fault: .transport).isTimeout)
    #expect(PGError(code: .connectTimeoutError, message: "late", fault: .transport).isTimeout)
  }

  @Test(
    "the one-line form leaves out the values that the server quotes",
    arguments: [
      (
        "22P02", "invalid input syntax for type integer: \"s3cret\"",
        "ERROR 22P02: invalid input syntax for type integer: \"…\""
      ),
      (
        "22P02", "invalid input syntax for type integer: \"s3\"cr\" \"et\"",
        "ERROR 22P02: invalid input syntax for type integer: \"…\""
      ),
      (
        "22003", "value \"s3cret\" is out of range for type integer",
        "ERROR 22003: value \"…\" is out of range for type integer"
      ),
      (
        "22P02", "syntaxe en entrée invalide pour le type integer : « s3cret »",
        "ERROR 22P02: syntaxe en entrée invalide pour le type integer : «…»"
      ),
      (
        "22021", "invalid byte sequence for encoding \"UTF8\": 0x73 0x33",
        "ERROR 22021: invalid byte sequence for encoding \"…\": 0x… 0x…"
      ),
      ("42P01", "relation \"t\" does not exist", "ERROR 42P01: relation \"…\" does not exist"),
      ("42704", "large object 4711 does not exist", "ERROR 42704: large object … does not exist"),
      ("42883", "operator does not exist: +++", "ERROR 42883: operator does not exist: …"),
      ("42883", "function \"f(a)\" does not exist", "ERROR 42883: function \"…\" does not exist"),
      (
        "58P01", "could not open file \"/s3cret\" for reading: No such file or directory",
        "ERROR 58P01: could not open file \"…\" for reading: No such file or directory"
      ),
      (
        "22008", "date field value out of range: 2000-13-01",
        "ERROR 22008: date field value out of range: …"
      ),
      ("22003", "-12 is outside the valid range", "ERROR 22003: … is outside the valid range"),
      (
        "23505", "duplicate key value violates unique constraint \"t_pkey\"",
        "ERROR 23505: duplicate key value violates unique constraint \"t_pkey\""
      ),
      ("22012", "division by zero", "ERROR 22012: division by zero"),
    ])
  func oneLine(code: String, message: String, want: String) {
    let error = server(code, message)
    #expect(error.description == want)
    #expect(error.message == message)
    #expect(error.report.hasPrefix("ERROR \(code): \(message)"))
  }

  @Test("what the statement's own text says, and who was refused, stays in the one-line form")
  func namesStay() {
    let missing = "relation \"t\" does not exist"
    let placed = ServerMessage([(.code, "42P01"), (.message, missing), (.position, "15")])
    #expect(PGError.server(placed).description == "ERROR 42P01: \(missing)")
    let refused = "password authentication failed for user \"bob\""
    #expect(
      server("28P01", refused, severity: "FATAL").description == "FATAL 28P01: \(refused)")
  }

  @Test("a message with several lines is one line")
  func lines() {
    #expect(server("P0001", "a\nb\r\nc").description == "ERROR P0001: a b c")
    #expect(server("P0001", "a", severity: "ERR\nOR").description == "ERR OR P0001: a")
  }

  @Test(
    "the severity tells warnings from errors, as in py-postgresql",
    arguments: [
      ("WARNING", "01P01", "DeprecationWarning"), ("WARNING", "01888", "Warning"),
      ("WARNING", "25001", "Warning"), ("ERROR", "01000", "Error"), ("ERROR", "02000", "Error"),
      ("ERROR", "XX444", "InternalError"), ("FATAL", "57P01", "AdminShutdownError"),
      ("PANIC", "XX000", "InternalError"), ("NOTICE", "00000", nil), ("DEBUG2", "00000", nil),
      ("LOG", "42601", nil), ("INFO", "00000", nil),
    ] as [(String, String, String?)])
  func severities(severity: String, code: String, want: String?) {
    let message = ServerMessage([(.severity, severity), (.code, code), (.message, "m")])
    #expect(message.exceptionName?.name == want)
    #expect((message.kind == .notice) == (want == nil))
    #expect(message.isWarning == (want != nil))
  }

  @Test("an error with a warning's code is an error, by name, by kind and as a pattern")
  func errorsWithCodesOfWarnings() {
    for code in ["01000", "01004", "02000", "02001", "-Cwrn", "00000"] {
      let error = server(code)
      #expect(error.name == "Error")
      #expect(error.fields?.exceptionName?.name == "Error")
      #expect(error.isKind(of: "Error"))
      #expect(!error.isKind(of: "Warning"))
      #expect(!error.isKind(of: "no_data"))
      #expect(("Error" as ErrorFamily) ~= error)
      let untyped: any Error = error
      #expect(!(("Warning" as ErrorFamily) ~= untyped))
    }
  }
}
