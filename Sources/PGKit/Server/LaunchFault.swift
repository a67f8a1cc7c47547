internal import CSpawn

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// Why a program was not started: how far the child came, and what the system said there.
public struct LaunchFault: Error, Sendable, Hashable {
  /// How far the child came.
  public enum Step: Sendable, Hashable {
    /// There was no child yet.
    case fork
    /// Its session, its group or its descriptors.
    case setUp
    /// Becoming another user.
    case user
    /// Seeing itself as a user who has a name.
    case name
    /// Entering its directory.
    case directory
    /// Opening the file for its output.
    case output
    /// Becoming the program.
    case exec

    init(_ number: Int32) {
      switch UInt32(bitPattern: number) {
      case PGKIT_STEP_PIPE.rawValue, PGKIT_STEP_FORK.rawValue: self = .fork
      case PGKIT_STEP_GROUPS.rawValue, PGKIT_STEP_USER.rawValue: self = .user
      case PGKIT_STEP_NAME.rawValue: self = .name
      case PGKIT_STEP_DIRECTORY.rawValue: self = .directory
      case PGKIT_STEP_OUTPUT.rawValue: self = .output
      case PGKIT_STEP_EXEC.rawValue: self = .exec
      default: self = .setUp
      }
    }
  }

  /// How far the child came.
  public let step: Step
  /// What the system said.
  public let reason: SystemError

  /// Whether the program itself, or the interpreter that it names, is not there.
  public var isMissingProgram: Bool {
    step == .exec && (reason.number == ENOENT || reason.number == ENOTDIR)
  }

  func error(for launch: ProcessLaunch) -> PGError {
    .cluster(
      "could not run \"\(launch.executable)\": \(what(launch)): \(reason.text)",
      hint: hint(launch), cause: self)
  }

  private func what(_ launch: ProcessLaunch) -> String {
    switch step {
    case .fork: "no process could be made"
    case .setUp: "the process could not be set up"
    case .user: "the process could not become user \"\(launch.user?.name ?? "")\""
    case .name: "the process could not be given a name"
    case .directory: "directory \"\(launch.directory ?? "")\" could not be entered"
    case .output: "file \"\(launch.outputFile ?? "")\" could not be opened"
    case .exec: "the program could not be executed"
    }
  }

  private func hint(_ launch: ProcessLaunch) -> String? {
    if step == .user {
      return "This container may lack the capabilities to change users; run as an ordinary user."
    }
    guard let user = launch.user, reason.number == EACCES else { return nil }
    let path: String? =
      switch step {
      case .directory: launch.directory
      case .output: launch.outputFile
      case .exec: launch.executable
      default: nil
      }
    guard let path, let obstacle = user.firstImpassable(to: path) else { return nil }
    return "User \"\(user.name)\" may not pass through \"\(obstacle)\"; choose another place."
  }
}
