// The file of the secret that sessions are signed with: 64 hexadecimal digits and a line feed.
// Made once; a new one ends all sessions, and nothing else.

import Martlet

/// The secret that sessions are signed with.
enum Secret {
  /// What the directory holds, or what is wrong with its file.
  enum Loaded {
    case secret(Digest)
    case damaged
    case failed(SystemError)
  }

  private static var fileName: StaticString { "secret" }

  /// Reads the text of the file.
  static func parse(_ text: Span<UInt8>) -> Digest? {
    guard text.count == 65, text[64] == "\n" else { return nil }
    var secret = Digest(repeating: 0)
    var target = secret.mutableSpan
    guard text.extracting(0..<64).decodeHexadecimal(into: &target) == 32 else { return nil }
    return secret
  }

  /// Reads the file of a directory, or makes it when it is not there.
  static func load(from directory: DataDirectory) -> Loaded {
    do throws(SystemError) {
      let secret = try System.read(fileName.octets, in: directory) { parse($0) }
      guard let secret else { return .damaged }
      return .secret(secret)
    } catch {
      return error.isNotFound ? make(in: directory) : .failed(error)
    }
  }

  private static func make(in directory: DataDirectory) -> Loaded {
    var secret = Digest(repeating: 0)
    var target = secret.mutableSpan
    Random.fill(&target)
    var text = FixedBuffer<65>()
    var writer = Writer(text.storageSpan)
    writer.append(hexadecimal: secret.span)
    writer.append("\n")
    let count = writer.count
    text.setCount(count)
    do throws(SystemError) {
      let stored = try directory.replace(fileName, with: text.span)
      if case .unconfirmed(let error) = stored { StorageTrouble.unconfirmed(error).log() }
      return .secret(secret)
    } catch {
      return .failed(error)
    }
  }
}
