// The panel as the first process of a system, one that may have nothing but a kernel beside it. It
// mounts what it reads, loads the modules that came along, and gives the network its address. What
// fails is one line on the console; the system goes on where it can. In other processes nothing of
// this happens.

import CMartletPlatform
import Martlet

/// The start of a system.
enum Boot {
  /// Whether the panel is the system's first process.
  static var isFirstProcess: Bool { martlet_is_first_process() != 0 }

  /// Where to listen, where to tell browsers to come by https, and where to keep files. Options after the `--` of
  /// the kernel's command line say otherwise. With `--listen` there, nothing is redirected.
  static var listen: StaticString { "0.0.0.0:443" }
  static var redirection: StaticString { "0.0.0.0:80" }
  static var data: Text<200> { "/data" }

  /// Does all that comes before the panel's own start. From here on, the end of the program is that
  /// of the system.
  static func start() {
    check(martlet_become_first_process(), "cannot become the first process")
    check(martlet_mount(Int32(MARTLET_PROC)), "cannot mount /proc")
    check(martlet_mount(Int32(MARTLET_SYS)), "cannot mount /sys")
    check(martlet_mount(Int32(MARTLET_DATA)), "cannot mount /data")
    loadModules()
    check(martlet_start_loopback(), "cannot switch on lo")
    startNetwork()
  }

  /// Says what a step has answered, if it failed.
  private static func check(_ result: Int32, _ step: StaticString) {
    if result < 0 { complain(step, SystemError(code: result)) }
  }

  private static func complain(_ step: StaticString, _ error: SystemError) {
    complain(step, ("" as StaticString).octets, error)
  }

  private static func complain(
    _ step: StaticString, _ name: Span<UInt8>, _ error: SystemError
  ) {
    var message = Message("martlet-panel: ")
    message.add(step)
    message.add(name)
    message.add(": ")
    message.add(error.text)
    message.print(.error)
  }

  // MARK: Modules

  /// Loads the files that /modules/list names, one a line, in that order.
  private static func loadModules() {
    do throws(SystemError) {
      try System.read(("/modules/list" as StaticString).octets) { list in
        var lines = Lines(list)
        while let name = lines.next() { loadModule(name) }
      }
    } catch {
      if !error.isNotFound { complain("cannot read /modules/list", error) }
    }
  }

  private static func loadModule(_ name: Span<UInt8>) {
    var path: Text<96> = "/modules/"
    path.append(name)
    do throws(SystemError) {
      try System.loadModule(path.span)
    } catch {
      complain("cannot load ", path.span, error)
    }
  }

  // MARK: Network

  /// How long an interface may take to appear; on USB it is seconds.
  private static var interfaceTimeoutMilliseconds: Int64 { 20_000 }

  private static func startNetwork() {
    guard let setting = readSetting() else { return }
    if !setting.hostname.isEmpty {
      do throws(SystemError) {
        try System.setHostname(setting.hostname.span)
      } catch {
        complain("cannot set the name ", setting.hostname.span, error)
      }
    }
    guard let index = waitForInterface(setting) else { return }
    check(
      martlet_start_interface(index, setting.client, setting.netmask),
      "cannot give the network interface its address")
    guard let gateway = setting.gateway else { return }
    check(martlet_set_gateway(gateway), "cannot set the gateway")
  }

  /// What the kernel's command line says. A setting that is wrong ends the program: nobody could
  /// reach it.
  private static func readSetting() -> NetworkSetting? {
    do throws(SystemError) {
      return try System.read(("/proc/cmdline" as StaticString).octets) { line in
        guard let value = NetworkSetting.find(in: line) else {
          var message = Message("martlet-panel: no ip= on the kernel's command line, so no network")
          message.print(.error)
          return nil
        }
        guard let setting = NetworkSetting(value) else {
          var message = Message("martlet-panel: ip=")
          message.add(value)
          message.add(
            """
             on the kernel's command line is not ip=CLIENT:[SERVER]:[GATEWAY]:NETMASK[:HOSTNAME\
            [:DEVICE[:off]]] with IPv4 addresses; there is no DHCP here.
            """)
          message.fail()
        }
        return setting
      }
    } catch {
      complain("cannot read /proc/cmdline", error)
      return nil
    }
  }

  /// The number of the interface that the setting names, or of the first Ethernet interface.
  private static func waitForInterface(_ setting: borrowing NetworkSetting) -> Int32? {
    let start = System.milliseconds
    while true {
      let index = setting.device.isEmpty ? martlet_first_ethernet() : number(of: setting.device)
      if index > 0 { return index }
      if System.milliseconds - start >= interfaceTimeoutMilliseconds {
        var message = Message("martlet-panel: no network interface ")
        message.add(setting.device)
        message.add(" has appeared; is the kernel's module for it in /modules/list?")
        message.print(.error)
        return nil
      }
      martlet_sleep(20)
    }
  }

  private static func number(of device: Text<15>) -> Int32 {
    var path: Text<96> = "/sys/class/net/"
    path.append(device.span)
    path.append(("/ifindex" as StaticString).octets)
    do throws(SystemError) {
      return try System.read(path.span) { text in
        var lines = Lines(text)
        return lines.next()?.decimal().flatMap { Int32(exactly: $0) } ?? 0
      }
    } catch {
      return 0
    }
  }

  /// Says how long the start has taken (the system's clock begins with the kernel) and what it
  /// costs.
  static func tellCost() {
    var message = Message("martlet-panel: ready ")
    message.add(Int(System.milliseconds))
    message.add(" ms after the kernel's start; user space takes ")
    message.add(Int(clamping: MemoryUse().sum))
    message.add(" KiB")
    message.print()
  }
}
