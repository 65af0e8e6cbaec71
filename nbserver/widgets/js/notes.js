// What the kernel says in English sentences, in Chinese: how a connection ended, what was noticed, why somebody was turned away.
// `{}` stands for what changes in a sentence, which may be a sentence itself. A sentence that is not in here is shown as it is.

const ZH = [
  ["{}, the most allowed", "{}，已达上限"],
  // how a connection ended
  ["the client closed", "客户端关闭了连接"],
  ["the server closed", "服务器关闭了连接"],
  ["{} bytes of that were not sent", "其中 {} 字节没有发送"],
  ["closed by you", "由你关闭"],
  ["reset by you", "由你重置"],
  ["the server was stopped", "服务器已停止"],
  ["its handler did not end when the server was stopped", "服务器停止时，处理程序没有结束"],
  ["its handler called exit()", "处理程序调用了 exit()"],
  ["refused by verify_request()", "被 verify_request() 拒绝"],
  ["the peer vanished while sending to it ({})", "正在向对方发送时，对方消失了（{}）"],
  ["the peer vanished while waiting for it ({})", "正在等待对方时，对方消失了（{}）"],
  ["the peer vanished while its handler waited for a person", "处理程序等待人回复时，对方消失了"],
  ["not heard for longest, and the table is full", "沉默最久，而表格已满"],
  ["it speaks {}, and is no client of this server's", "它讲的是 {}，不是这个服务器的客户端"],
  // how a client's program ended, and why it cannot run again
  ["run {}", "第 {} 次运行"],
  ["ended after {} s", "已结束，用时 {} 秒"],
  ["stopped after {} s", "已停止，用时 {} 秒"],
  ["exit code {} after {} s", "退出码 {}，用时 {} 秒"],
  ["ended by {} after {} s", "因 {} 结束，用时 {} 秒"],
  ["closed its sending side", "关闭了发送端"],
  ["nothing listens on {}: start a server there first", "{} 上没有服务器在监听：请先启动服务器"],
  ["{} has not ended within {} s", "{} 在 {} 秒内没有结束"],
  // limits
  ["its line is longer than {} bytes", "它的一行超过 {} 字节"],
  ["it sent nothing for {} s after it had connected", "连接后 {} 秒内没有发送任何内容"],
  ["its request was not complete after {} s", "{} 秒后请求仍不完整"],
  ["it was idle for {} s", "空闲了 {} 秒"],
  ["it did not read for {} s", "{} 秒没有读取"],
  // who may come in
  ["only this machine may connect (lan=True lets more)", "只有本机可以连接（lan=True 可放宽）"],
  ["only this network may connect", "只有同一网络可以连接"],
  ["only the user who started the server may connect", "只有启动服务器的用户可以连接"],
  ["{} connections from its address are open", "该地址已有 {} 个连接"],
  ["too many wrong tokens from its address", "该地址出示错误令牌的次数过多"],
  ["no token within {} s", "{} 秒内没有出示令牌"],
  ["it left before it showed a token", "出示令牌之前就离开了"],
  ["wrong token: the first line must be HELLO and the token", "令牌错误：第一行须为 HELLO 加令牌"],
  ["showed the token", "出示了令牌"],
  // TLS
  ["no TLS handshake: {}", "TLS 握手失败：{}"],
  ["it took too long", "耗时过长"],
  ["the client left", "客户端离开了"],
  ["it speaks plain HTTP, not TLS", "它讲的是明文 HTTP，不是 TLS"],
  ["it does not speak TLS", "它讲的不是 TLS"],
  ["it does not trust the certificate", "它不信任这个证书"],
  ["it does not accept the certificate", "它不接受这个证书"],
  ["its certificate is not trusted here", "这里不信任它的证书"],
  ["it showed no certificate", "它没有出示证书"],
  ["it knows none of the ciphers", "它不支持任何可用的加密套件"],
  ["it asks for a version of TLS that is not allowed", "它要求的 TLS 版本不被允许"],
  ["TLS to the client: {} ({} bytes)", "TLS 发往客户端：{}（{} 字节）"],
  ["TLS from the client: {} ({} bytes)", "TLS 来自客户端：{}（{} 字节）"],
  ["TLS handshake done in {} ms: {}, {}", "TLS 握手完成，用时 {} 毫秒：{}，{}"],
  // rules
  ["rule {} answers anything", "规则 {} 自动答复任何内容"],
  ["rule {} answers what contains “{}”", "规则 {} 自动答复含有“{}”的内容"],
  ["rules have answered {} times within a second: a person must go on", "规则一秒内已答复 {} 次：须由人接着回复"],
  // faults
  ["fault {} is set: {}", "故障 {} 已设置：{}"],
  ["fault {} is undone, {}: {}", "故障 {} 已撤销，{}：{}"],
  ["it acted {} times", "共起作用 {} 次"],
  ["it acted once", "起作用 1 次"],
  ["{} s of delay, give or take {} s, {}", "延迟 {} 秒，上下浮动 {} 秒，{}"],
  ["{} s of delay, {}", "延迟 {} 秒，{}"],
  ["at most {} bytes per second, {}", "每秒最多 {} 字节，{}"],
  ["each message is split at byte {}, {}", "每条消息在第 {} 字节处被拆开，{}"],
  ["messages are held until they are {} bytes, or for {} s, {}", "消息先攒着，满 {} 字节或过 {} 秒才放行，{}"],
  ["the client reads {} bytes per second", "客户端每秒只读 {} 字节"],
  ["nothing arrives, {}", "什么也到不了，{}"],
  ["{} % of the datagrams are lost, {}", "{}% 的数据报丢失，{}"],
  ["{} % of the datagrams come twice, {}", "{}% 的数据报重复到达，{}"],
  ["{} % of the datagrams are overtaken by the next, {}", "{}% 的数据报被下一个超过，{}"],
  ["both ways", "双向"],
  ["to the client", "发往客户端"],
  ["from the client", "来自客户端"],
  ["no fault acts here: the socket is wrapped by the program", "故障在这里不起作用：套接字已被程序包装"],
  ["you closed the sending side: the client reads the end, and can still send", "你关闭了发送端：客户端会读到结尾，但仍能发送"],
  // what was noticed
  ["speaks {}", "讲的是 {}"],
  // shared data, and comparisons
  ["another tracer (a debugger, or coverage) is at work in these threads: they are not watched", "这些线程里已有别的跟踪程序（调试器或覆盖率工具）：无法观察它们"],
  ["the text of {} cannot be read: it is not watched", "读不到 {} 的源代码：无法观察它"],
  ["input() would stop the event loop, and with it every client", "input() 会停住事件循环，从而停住每一个客户端"],
  ["the next datagram was cut to max_packet_size, {} bytes: what came after is lost", "下一个数据报被截断为 max_packet_size，即 {} 字节：其后的内容已丢失"],
];

const escaped = (text) => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
const pattern = (sentence) => new RegExp(`^${sentence.split("{}").map(escaped).join("(.+)")}$`);
const PATTERNS = { zh: ZH.map(([english, own]) => ({ english: pattern(english), own })) };

/** Whether the kernel notes that a rule, and no person, gives the answer that follows. */
export const tellsOfRule = (note) => /^rule \d+ answers /.test(note);

/** A sentence of the kernel's in a language. */
export function noteIn(language, note) {
  for (const { english, own } of PATTERNS[language] ?? []) {
    const found = english.exec(note);
    if (!found) continue;
    const blanks = found.slice(1);
    return own.replace(/\{\}/g, () => noteIn(language, blanks.shift()));
  }
  return note;
}
