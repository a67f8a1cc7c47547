internal import PGCommandLine
internal import PGConnecting
internal import PGKit

extension PGError {
  /// A failure of stdout or a file is none of the library's; it passes through it as a cause.
  static func output(_ cause: any Error) -> PGError {
    PGError(
      code: .ioError, message: "\(cause)", fault: .caller, cause: cause)
  }

  /// What it means for the run that stdout or a file of this machine failed with it.
  var localFailure: any Error {
    if let cause, cause is Failure || cause is StandardOutput.Failure { return cause }
    return Failure(.localFailure, diagnostic(of: CopyCommand.program))
  }

  /// What is said of it where others go on.
  var localDiagnostic: Diagnostic {
    switch cause {
    case let failure as StandardOutput.Failure: .own("\(failure)")
    case let failure as Failure: failure.diagnostic ?? diagnostic(of: CopyCommand.program)
    default: diagnostic(of: CopyCommand.program)
    }
  }
}
