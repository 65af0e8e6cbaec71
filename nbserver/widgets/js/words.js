// Every word that the board says, in English and in Chinese. `{name}` is filled in.
// The accessible names in English are part of the interface: tests and screen readers use them.
import { noteIn } from "./notes.js";

const EN = {
  board: "nbserver {address}", clientsBoard: "nbserver clients",
  "server.new": "new", "server.serving": "serving", "server.stopping": "stopping", "server.stopped": "stopped", "server.failed": "failed",
  "state.accepted": "accepted", "state.running": "running", "state.receiving": "receiving", "state.sending": "sending",
  "state.waiting": "waiting for you", "state.half-closed": "half-closed", "state.closed": "closed", "state.reset": "reset", "state.failed": "failed",
  "short.waiting": "waiting", "short.filter": "Waiting",
  open: "open", waiting: "waiting", in: "in", out: "out", errors: "errors", oneError: "error", rate: "{rate} msgs/s", rateTitle: "messages per second, the last minute",
  acceptThread: "the thread that accepts connections", cell: "made in {cell}",
  smaller: "Smaller text", larger: "Larger text", language: "中", languageName: "Switch to Chinese",
  present: "Fill the page", view: "View and keys", highContrast: "High contrast", languageWord: "Language", languageOfPage: "as the page",
  "keys.send": "send; in a row: and on to the next that waits", "keys.history": "in a box: earlier replies", "keys.escape": "from a box back to the list; leave the full page",
  "keys.list": "in the list: choose a connection", "keys.open": "in the list: to its reply box", "keys.size": "size of the text", "keys.present": "fill the page",
  addClient: "Add client", addClientShort: "client", stop: "Stop server", stopShort: "Stop",
  "limit.full": "{open} of {most} connections: the next ones wait in the backlog", "limit.full.one": "{open} of {most} connections: {waiting} waits in the backlog",
  "limit.full.some": "{open} of {most} connections: {waiting} wait in the backlog", "limit.descriptors": "No file descriptors left: trying again",
  "limit.away": "{count} turned away, the last: {reason}", limits: "Limits", seconds: "{count} s",
  "limits.max_connections": "at most {value} connections", "limits.one_connection": "at most {value} connection", "limits.max_per_peer": "at most {value} from one address",
  "limits.handshake_seconds": "TLS handshake within {value}", "limits.first_byte_seconds": "first byte within {value}", "limits.request_seconds": "whole request within {value}",
  "limits.idle_seconds": "silent for at most {value}", "limits.send_seconds": "one send() within {value}", "limits.max_line": "lines of at most {value}",
  "limits.transcript_bytes": "{value} of one transcript", "limits.transcripts_bytes": "{value} of transcripts in all",
  rules: "Rules", ruleOn: "{count} rule on", rulesOn: "{count} rules on", ruleWhen: "when it contains", ruleThen: "answer", ruleAnything: "anything", ruleAdd: "Add",
  ruleSwitch: "Rule {number}", on: "on", off: "off", ruleAnswered: "answered {count}×", ruleRemove: "Remove rule {number}", byRule: "rule",
  ruleHint: "A rule answers input() in your place. The first that fits wins; {text} in an answer stands for what was received.",
  whoCanReach: "Who can reach it", "reach.machine": "this machine only", "reach.network": "the same network: type {address}", "reach.public": "public: type {address}",
  "reach.nowhere": "the network, but this machine has no address in one",
  "who.machine": "Only programs on this machine can connect", "who.network": "Whoever is in the same network can connect", "who.public": "Everybody who can reach this machine can connect",
  orType: "or {addresses}", firstLine: "first line:", closePanel: "Close panel",
  wider: "bound to every address, but only this machine is let in: lan=True (or %%server --lan) lets the network in",
  openInBrowser: "Open in browser", "link.token": "a browser cannot show the token", "link.tls": "jupyter-server-proxy cannot open it: it speaks TLS",
  "link.proxy": "this page is on another machine: jupyter-server-proxy beside the notebook's server would open it from here",
  "speaks.HTTP": "a browser speaks HTTP here", "speaks.TLS": "this client speaks TLS here", "speaks.SSH": "this client speaks SSH here", noticed: "noticed",
  waitingKernel: "Waiting for the kernel …", stale: "No word from the kernel for {time}: what you see may be old",
  "fate.cut": "The connection to the kernel is cut and is being tried again: what you see may be old",
  "fate.lost": "The connection to the kernel is lost: reload the page to see what is so",
  "fate.restarted": "The kernel was restarted, and what is shown here ended with it: run the cell again",
  "fate.over": "The kernel has ended, and what is shown here with it: start a kernel, then run the cell again",
  "code.restarted": "the kernel was restarted: run the cell again", "code.over": "the kernel has ended",
  filters: "Show", "filter.all": "All", "filter.waiting": "Waiting for you", "filter.open": "Open", "filter.closed": "Closed",
  connections: "Connections", connection: "Connection #{id}", noConnections: "No connection yet", noneHere: "None here",
  "column.id": "#", "column.state": "state", "column.peer": "address", "column.messages": "in / out", "column.bytes": "bytes", "column.last": "last message", "column.age": "age",
  replyTo: "Reply to #{id}", typeReply: "Type a reply, Enter sends", typeAny: "Type a message, Enter sends", waitingFor: "waiting for you for {time}",
  savedReplies: "Saved replies", savedTitle: "Saved replies, or Alt+1 to Alt+9 in the box", saveReply: "Save this reply", forgetReply: "Forget “{text}”",
  noSaved: "No saved reply yet: type one, then save it", "keys.saved": "in a box: a saved reply",
  discard: "Discard draft of #{id}", discardShort: "Discard", notSent: "Not sent: {reason}", notSentText: "Not sent: “{text}”, {reason}",
  "code.ended": "the connection has ended", "code.answered": "somebody else answered this question", "code.busy": "the handler is in the middle of sending",
  "code.full": "the client does not read", "code.stopped": "the server has stopped", "code.silent": "no answer from the kernel yet; it may still arrive",
  "code.clientEnded": "this client has ended",
  select: "Select a connection to see its transcript", disconnect: "Disconnect #{id}", disconnectShort: "Disconnect", hex: "Hex", hexName: "Show bytes as hex", encoding: "Encoding",
  transcript: "Transcript of #{id}", send: "Send", newer: "new", more: "… +{count}", notKept: "{count} more, not kept", cut: "{shown} of {size} shown",
  fromPeer: "from client", toPeer: "to client", you: "you", fromServer: "from server", toServer: "to server", typed: "typed", asks: "asks",
  eof: "The other end has closed its side", opened: "opened", ended: "ended", traceback: "Traceback",
  half: "half a character: the rest has not come yet", joined: "this character goes on in the next message", raw: "not a character of this encoding",
  "chip.control": "control character", "chip.bidi": "changes the direction of writing", "chip.private": "private use", "chip.unassigned": "not a character",
  "chip.invisible": "invisible", "chip.space": "a space of another width", "chip.marks": "stacked marks", "chip.rest": "more than is shown here",
  messageAll: "Message to all", sendAll: "Send to all", typeAll: "Message to all {count} open, Enter sends",
  refused: "Not done: {reason}", partly: "Not done for all: {reason}", dismiss: "Dismiss",
  "program.client": "Server program", "program.closeClient": "Close server program", "program.clientTranscript": "Transcript of server program",
  "program.clientInput": "Input of server program", "program.discardInput": "Discard draft of server program",
  clients: "Clients", client: "Client {id}", closeClient: "Close client {id}", clientTranscript: "Transcript of client {id}",
  clientInput: "Input of client {id}", typeInput: "Type ahead, Enter sends", typeAnswer: "Enter sends", discardInput: "Discard draft of client {id}", moreClients: "Show {count} more clients", noClients: "No client yet",
};

const ZH = {
  board: "nbserver {address}", clientsBoard: "nbserver 客户端",
  "server.new": "未启动", "server.serving": "服务中", "server.stopping": "正在停止", "server.stopped": "已停止", "server.failed": "出错",
  "state.accepted": "已接受", "state.running": "处理中", "state.receiving": "接收中", "state.sending": "发送中",
  "state.waiting": "等待你回复", "state.half-closed": "半关闭", "state.closed": "已关闭", "state.reset": "被重置", "state.failed": "出错",
  "short.waiting": "待回复", "short.filter": "待回复",
  open: "连接", waiting: "待回复", in: "收", out: "发", errors: "错误", oneError: "错误", rate: "{rate} 条/秒", rateTitle: "最近一分钟每秒消息数",
  acceptThread: "接受连接的线程", cell: "来自 {cell}",
  smaller: "缩小文字", larger: "放大文字", language: "EN", languageName: "切换到英文",
  present: "铺满页面", view: "显示与快捷键", highContrast: "高对比度", languageWord: "语言", languageOfPage: "跟随页面",
  "keys.send": "发送；在行内则转到下一个等待者", "keys.history": "在输入框中：之前的回复", "keys.escape": "从输入框回到列表；退出铺满页面",
  "keys.list": "在列表中：选择连接", "keys.open": "在列表中：转到其回复框", "keys.size": "文字大小", "keys.present": "铺满页面",
  addClient: "添加客户端", addClientShort: "客户端", stop: "停止服务器", stopShort: "停止",
  "limit.full": "已有 {open} / {most} 个连接：后来者在积压队列中等候", "limit.full.one": "已有 {open} / {most} 个连接：{waiting} 个在积压队列中等候",
  "limit.full.some": "已有 {open} / {most} 个连接：{waiting} 个在积压队列中等候", "limit.descriptors": "文件描述符已用完：正在重试",
  "limit.away": "已拒绝 {count} 个，最近一个的原因：{reason}", limits: "限制", seconds: "{count} 秒",
  "limits.max_connections": "最多 {value} 个连接", "limits.one_connection": "最多 {value} 个连接", "limits.max_per_peer": "同一地址最多 {value} 个",
  "limits.handshake_seconds": "TLS 握手限 {value}", "limits.first_byte_seconds": "首字节限 {value} 内", "limits.request_seconds": "完整请求限 {value} 内",
  "limits.idle_seconds": "最多沉默 {value}", "limits.send_seconds": "一次 send() 限 {value} 内", "limits.max_line": "每行最多 {value}",
  "limits.transcript_bytes": "每个记录保留 {value}", "limits.transcripts_bytes": "全部记录共保留 {value}",
  rules: "规则", ruleOn: "已启用 {count} 条规则", rulesOn: "已启用 {count} 条规则", ruleWhen: "当内容含有", ruleThen: "就答复", ruleAnything: "任何内容", ruleAdd: "添加",
  ruleSwitch: "规则 {number}", on: "开", off: "关", ruleAnswered: "已答复 {count} 次", ruleRemove: "删除规则 {number}", byRule: "规则",
  ruleHint: "规则代替你答复 input()，以最先符合的一条为准；答复中的 {text} 代表收到的内容。",
  whoCanReach: "谁能连接", "reach.machine": "仅限本机", "reach.network": "同一网络：请输入 {address}", "reach.public": "公开：请输入 {address}",
  "reach.nowhere": "同一网络，但本机没有网络地址",
  "who.machine": "只有本机上的程序可以连接", "who.network": "同一网络中的任何人都可以连接", "who.public": "任何能到达本机的人都可以连接",
  orType: "或 {addresses}", firstLine: "第一行：", closePanel: "关闭面板",
  wider: "绑定了所有地址，但只允许本机连接：lan=True（或 %%server --lan）允许网络中的人连接",
  openInBrowser: "在浏览器中打开", "link.token": "浏览器无法出示令牌", "link.tls": "jupyter-server-proxy 无法打开：它讲的是 TLS",
  "link.proxy": "此页面在另一台机器上：在笔记本服务器旁安装 jupyter-server-proxy 即可从这里打开",
  "speaks.HTTP": "浏览器在此讲 HTTP", "speaks.TLS": "这个客户端在此讲 TLS", "speaks.SSH": "这个客户端在此讲 SSH", noticed: "注意到",
  waitingKernel: "正在等待内核……", stale: "内核已有 {time} 没有消息：所见可能已过时",
  "fate.cut": "与内核的连接已中断，正在重新连接：所见可能已过时",
  "fate.lost": "与内核的连接已断开：请刷新页面以查看当前状态",
  "fate.restarted": "内核已重启，这里显示的内容随之结束：请重新运行单元格",
  "fate.over": "内核已终止，这里显示的内容随之结束：请启动内核，再重新运行单元格",
  "code.restarted": "内核已重启：请重新运行单元格", "code.over": "内核已终止",
  filters: "显示", "filter.all": "全部", "filter.waiting": "等待你回复", "filter.open": "已连接", "filter.closed": "已关闭",
  connections: "连接列表", connection: "连接 #{id}", noConnections: "还没有连接", noneHere: "此处为空",
  "column.id": "#", "column.state": "状态", "column.peer": "地址", "column.messages": "收 / 发", "column.bytes": "字节", "column.last": "最近消息", "column.age": "时长",
  replyTo: "回复 #{id}", typeReply: "输入回复，回车发送", typeAny: "输入消息，回车发送", waitingFor: "已等待你 {time}",
  savedReplies: "常用回复", savedTitle: "常用回复，也可在输入框中按 Alt+1 到 Alt+9", saveReply: "保存这条回复", forgetReply: "删除“{text}”",
  noSaved: "还没有常用回复：先输入一条，再保存", "keys.saved": "在输入框中：插入常用回复",
  discard: "丢弃 #{id} 的草稿", discardShort: "丢弃", notSent: "未发送：{reason}", notSentText: "未发送：“{text}”，{reason}",
  "code.ended": "连接已结束", "code.answered": "这个问题已有人回答", "code.busy": "处理程序正在发送",
  "code.full": "客户端没有读取", "code.stopped": "服务器已停止", "code.silent": "内核尚未答复，消息可能稍后送达",
  "code.clientEnded": "这个客户端已结束",
  select: "选择一个连接，查看其记录", disconnect: "断开 #{id}", disconnectShort: "断开", hex: "十六进制", hexName: "以十六进制显示字节", encoding: "编码",
  transcript: "#{id} 的记录", send: "发送", newer: "新消息", more: "… +{count}", notKept: "另有 {count} 条未保留", cut: "显示 {size} 中的 {shown}",
  fromPeer: "来自客户端", toPeer: "发往客户端", you: "你", fromServer: "来自服务器", toServer: "发往服务器", typed: "输入", asks: "询问",
  eof: "对方已关闭其发送端", opened: "已建立", ended: "已结束", traceback: "回溯",
  half: "半个字符：其余部分尚未到达", joined: "这个字符在下一条消息中继续", raw: "不是此编码的字符",
  "chip.control": "控制字符", "chip.bidi": "改变书写方向", "chip.private": "私用区字符", "chip.unassigned": "未分配的字符",
  "chip.invisible": "不可见字符", "chip.space": "其他宽度的空格", "chip.marks": "叠加符号", "chip.rest": "其余未显示",
  messageAll: "发给所有人的消息", sendAll: "全部发送", typeAll: "发给全部 {count} 个连接，回车发送",
  refused: "未完成：{reason}", partly: "未对全部完成：{reason}", dismiss: "关闭提示",
  "program.client": "服务端程序", "program.closeClient": "关闭服务端程序", "program.clientTranscript": "服务端程序的记录",
  "program.clientInput": "服务端程序的输入", "program.discardInput": "丢弃服务端程序的草稿",
  clients: "客户端", client: "客户端 {id}", closeClient: "关闭客户端 {id}", clientTranscript: "客户端 {id} 的记录",
  clientInput: "客户端 {id} 的输入", typeInput: "可预先输入，回车发送", typeAnswer: "回车发送", discardInput: "丢弃客户端 {id} 的草稿", moreClients: "再显示 {count} 个客户端", noClients: "还没有客户端",
};

export const LANGUAGES = { en: EN, zh: ZH };

/** "en" or "zh": what was chosen, else the page's language, else the browser's. JupyterLab says "en" until it is told another. */
export function pickLanguage(chosen, ofDocument, ofBrowser) {
  if (Object.hasOwn(LANGUAGES, chosen)) return chosen;
  const ofPage = /^en(?![a-z])/i.test(ofDocument ?? "") ? "" : ofDocument;
  return /^zh(?![a-z])/i.test(ofPage || ofBrowser || "") ? "zh" : "en";
}

/**
 * The function that says something in a language; its `note(sentence)` says what the kernel said in English.
 * A word that is missing is a fault of ours: it throws.
 */
export function speak(language) {
  const words = LANGUAGES[language];
  const say = (key, values = {}) => {
    if (!(key in words)) throw new Error(`no word for ${key}`);
    return words[key].replace(/\{(\w+)\}/g, (_, name) => values[name]);
  };
  say.note = (sentence) => noteIn(language, sentence);
  return say;
}
