// The file of accounts: what is written is read, and every damage is found.

import Martlet
import TestSupport
import Testing

@testable import martlet_panel

private func account(_ name: String, generation: Int64 = 1) throws -> Account {
  let hash = try withGuardedOctets("correct-horse") { try PasswordHash.make($0, iterations: 10) }
  var account = Account(name: withGuardedOctets(name) { Text($0) ?? "" }, password: hash)
  account.generation = generation
  return account
}

private func text(_ accounts: borrowing Accounts) -> [UInt8] {
  var storage = [UInt8](repeating: 0, count: Accounts.fileSizeMax)
  var writer = Writer(storage.mutableSpan)
  accounts.write(to: &writer)
  let overflowed = writer.overflowed
  #expect(!overflowed)
  return [UInt8](writer.span)
}

private func damage(_ text: [UInt8]) -> AccountsDamage? {
  withGuardedOctets(text) { text in
    do throws(AccountsDamage) {
      _ = try Accounts(text)
      return nil
    } catch {
      return error
    }
  }
}

/// A text whose last line fits what is before it.
private func signed(_ lines: String) -> [UInt8] {
  var line = lines + "sha256 "
  withGuardedOctets(lines) { octets in
    var hash = SHA256()
    hash.update(octets)
    let digest = hash.finish()
    for i in 0..<32 {
      line += String(digest[i] >> 4, radix: 16) + String(digest[i] & 15, radix: 16)
    }
  }
  return Array((line + "\n").utf8)
}

@Suite struct AccountsTests {
  @Test("What is written is read again")
  func roundTrip() throws {
    var accounts = Accounts()
    // None at all is nothing that is ever stored: it would let the device be set up anew.
    #expect(damage(text(accounts)) == .account)
    for i in 0..<8 {
      let added = accounts.set(try account("admin\(i)", generation: 9_007_199_254_740_991 - Int64(i)))
      #expect(added)
    }
    let ninth = accounts.set(try account("admin8"))
    #expect(!ninth)
    let read = try withGuardedOctets(text(accounts)) { try Accounts($0) }
    #expect(read.count == 8)
    #expect(text(read) == text(accounts))
    let named = read.account(named: "admin3")
    let found = try #require(named)
    #expect(found.generation == 9_007_199_254_740_988)
    #expect(found.id == "admin3")
    #expect(withGuardedOctets("correct-horse") { found.password.verify($0) })
    #expect(read.account(named: "admin9") == nil)
    #expect(read.account(named: "admin") == nil)
  }

  @Test("Setting an account of the same name puts it in the same place")
  func replacement() throws {
    var accounts = Accounts()
    _ = accounts.set(try account("admin", generation: 1))
    _ = accounts.set(try account("admin", generation: 2))
    #expect(accounts.count == 1)
    #expect(accounts[0]?.generation == 2)
    #expect(accounts[1] == nil)
  }

  @Test("Names that differ by case only are one, and it keeps its spelling")
  func spelling() throws {
    var accounts = Accounts()
    _ = accounts.set(try account("Admin"))
    for name: Text<32> in ["Admin", "admin", "ADMIN", "aDMIN"] {
      #expect(accounts.account(named: name)?.name == "Admin")
    }
    _ = accounts.set(try account("aDMIN"))
    #expect(accounts.count == 1)
    _ = accounts.set(try account("admin2"))
    #expect(accounts.count == 2 && accounts.account(named: "admi") == nil)
  }

  @Test("Every flipped octet and every flipped bit is damage, and so is every prefix")
  func damages() throws {
    var accounts = Accounts()
    _ = accounts.set(try account("admin", generation: 3))
    let whole = text(accounts)
    #expect(damage(whole) == nil)
    for i in whole.indices {
      for mask: UInt8 in [0xFF, 1, 2, 4, 8, 16, 32, 64, 128] {
        var flipped = whole
        flipped[i] ^= mask
        #expect(damage(flipped) != nil, "octet \(i), mask \(mask)")
      }
    }
    for count in 0..<whole.count { #expect(damage(Array(whole.prefix(count))) != nil) }
    #expect(damage(whole + [0x0A]) != nil)
    #expect(damage([0x0A] + whole) != nil)
    #expect(damage(whole + whole) != nil)
  }

  @Test("Lines that are not accounts are damage even under a right digest")
  func lines() throws {
    let hash =
      "pbkdf2-hmac-sha256:\(String(repeating: "0", count: 32)):10:"
      + String(repeating: "0", count: 64)
    let first = "martlet-accounts 2\n"
    #expect(damage(signed(first)) == .account)
    #expect(damage(signed("martlet-accounts 1\n")) == .account)
    #expect(damage(signed(first + "admin:0:\(hash)\n")) == nil)
    #expect(damage(signed(first + "admin:9007199254740991:\(hash)\n")) == nil)
    for line in [
      "", ":0:\(hash)", "admin", "admin:0", "admin::\(hash)", "admin:1,2:\(hash)",
      "admin:-1:\(hash)", "admin:1 :\(hash)", "admin:0:x", "admin:1.5:\(hash)",
      "1admin:0:\(hash)", "ad min:0:\(hash)", "admin:9223372036854775807:\(hash)",
      "admin:0:\(hash) ", "\(String(repeating: "a", count: 33)):0:\(hash)",
    ] {
      #expect(damage(signed(first + line + "\n")) == .account, "\(line)")
    }
    #expect(damage(signed(first + "a:0:\(hash)\na:0:\(hash)\n")) == .account)
    #expect(damage(signed(first + "a:0:\(hash)\nA:0:\(hash)\n")) == .account)
    let nine = (0..<9).map { "a\($0):0:\(hash)\n" }.joined()
    #expect(damage(signed(first + nine)) == .account)
    #expect(damage(signed("martlet-accounts 3\n")) == .form)
    #expect(damage(signed(first + "admin:0:\(hash)")) == .form)
  }

  @Test("A file of version 1 is read; its sessions are not, and each account has a generation")
  func former() throws {
    let hash =
      "pbkdf2-hmac-sha256:\(String(repeating: "0", count: 32)):10:"
      + String(repeating: "0", count: 64)
    let lines = "martlet-accounts 1\nadmin:1,2,4294967295:\(hash)\nsusan::\(hash)\n"
    let read = try withGuardedOctets(signed(lines)) { try Accounts($0) }
    #expect(read.count == 2 && read.areFormer)
    let generations = [read[0]?.generation, read[1]?.generation]
    #expect(generations[0] != generations[1] && !generations.contains(0))
    let again = try withGuardedOctets(text(read)) { try Accounts($0) }
    #expect(again.areFormer == false)
    #expect([again[0]?.generation, again[1]?.generation] == generations)
  }

  @Test("The largest file is as large as its limit says")
  func size() throws {
    #expect(Accounts.fileSizeMax <= 2_560)
    #expect(Accounts.fileSizeMax < System.scratchSize)
  }
}

@Suite struct SecretTests {
  @Test("A secret is 64 hexadecimal digits and a line feed, and nothing else")
  func secret() throws {
    let text = String(repeating: "0f", count: 32) + "\n"
    let secret = try #require(withGuardedOctets(text) { Secret.parse($0) })
    #expect(secret[0] == 0x0F && secret[31] == 0x0F)
    for count in 0..<65 {
      #expect(withGuardedOctets(String(text.prefix(count))) { Secret.parse($0) } == nil)
    }
    #expect(withGuardedOctets(text + "\n") { Secret.parse($0) } == nil)
    #expect(withGuardedOctets("x" + text.dropFirst()) { Secret.parse($0) } == nil)
  }
}
