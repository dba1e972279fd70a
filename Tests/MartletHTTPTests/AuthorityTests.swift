import MartletBytes
import MartletHTTP
import Testing

@Suite struct AuthorityTests {
  private func host(_ text: String) -> String? {
    let octets = [UInt8](text.utf8)
    guard let authority = Authority.parse(octets.span) else { return nil }
    var host = authority.isBracketed ? "[]" : ""
    for i in authority.host.indices { host.unicodeScalars.append(Unicode.Scalar(authority.host[i])) }
    return host
  }

  private func isAddress(_ text: String) -> Bool {
    let octets = [UInt8](text.utf8)
    return Authority.parse(octets.span)?.address != nil
  }

  @Test("A host ends before its port, and a zone is left out")
  func hosts() {
    #expect(host("panel.lan") == "panel.lan" && host("panel.lan:80") == "panel.lan")
    #expect(host("panel.lan:") == "panel.lan" && host("") == "" && host(":80") == "")
    #expect(host("[::1]") == "[]::1" && host("[::1]:80") == "[]::1" && host("[::1]:") == "[]::1")
    #expect(host("[fe80::1%eth0]:80") == "[]fe80::1" && host("[fe80::1%25eth0]") == "[]fe80::1")
    for text in ["[::1", "[", "[::1]80", "[::1]x:80", "a:b", "a:65536", "a:-1", "a:80:80", "::1"] {
      #expect(host(text) == nil, "\(text)")
    }
  }

  @Test("An address is four decimal numbers, or an IPv6 address between brackets")
  func addresses() {
    for text in [
      "127.0.0.1", "192.168.1.20:8080", "[::1]", "[2001:db8::1]:80", "[::ffff:10.0.0.1]",
      "[fe80::1%eth0]", "[fe80::1%25eth0]:80",
    ] { #expect(isAddress(text), "\(text)") }
    for text in [
      "2130706433", "0x7f000001", "0x7f.1", "127.1", "127.0.1", "0177.0.0.1", "127.0.0.01",
      "127.0.0.256", "127.0.0.1.", "[127.0.0.1]", "[v1.a]", "[1]", "[]", "", "localhost", "%31.0.0.1",
      "1.2.3.4.5", "１.0.0.1",
    ] { #expect(!isAddress(text), "\(text)") }
  }
}
