"""What the cards say, in English and in Chinese: a title, why it happened, and what to change.

What stands in `backticks` is code, or was taken from the student's program. ``{name}`` is filled in. A code with a dot
is a wording of the card before the dot, for when more is known, or less.
"""

from __future__ import annotations

from typing import NamedTuple


class Words(NamedTuple):
    """One card in one language.

    Attributes:
        title: What happened, in a few words.
        text: Why.
        todo: What to change.
    """

    title: str
    text: str
    todo: str


ENGLISH = {
    "half-character": Words(
        "Half a character: {missing} more",
        "The last of these {size} bytes, `{tail}`, are the beginning of a character of {whole} bytes. Still "
        "missing: {missing}. "
        "`recv()` gives what has arrived so far, and that may end in the middle of a character.",
        "Keep what cannot be decoded yet for the next piece: `decoder = "
        'codecs.getincrementaldecoder("utf-8")()` before the '
        "loop, `decoder.decode(data)` in it. Or read whole lines.",
    ),
    "half-character.legacy": Words(
        "Half a character: the rest is still missing",
        "The last of these {size} bytes, `{tail}`, is the beginning of a character in {encoding}. "
        "`recv()` gives what has arrived so far, and that may end in the middle of a character.",
        "Keep what cannot be decoded yet for the next piece: `decoder = "
        'codecs.getincrementaldecoder("{encoding}")()` before '
        "the loop, `decoder.decode(data)` in it. Or read whole lines.",
    ),
    "second-half": Words(
        "The second half of a character came alone",
        "These bytes begin with `{head}`, which is the rest of a character: the piece before ended with its "
        "beginning, `{tail}`. "
        "Together `{joined}` is one character.",
        'Decode both with one decoder: `decoder = codecs.getincrementaldecoder("utf-8")()` before the loop, '
        "`decoder.decode(data)` in it.",
    ),
    "end-ignored": Words(
        "The peer has closed its side, and nobody looked",
        "`recv()` returned `b''` again in the same line. That is how the end is told: nothing more will ever "
        "come, and each "
        "further `recv()` returns `b''` at once, so that the loop runs as fast as it can, for ever.",
        "Leave the loop when nothing came: `if not data: break`, right after `recv()`.",
    ),
    "port-in-use": Words(
        "Port {port} is in use",
        "Only one server at a time can listen on `{address}`, and another program holds it.",
        "Stop that program, or take another port: port `0` takes any that is free.",
    ),
    "port-in-use.ours": Words(
        "Port {port} is in use: this notebook's {holder} holds it",
        "Only one server at a time can listen on `{address}`, and the one that was made before still runs.",
        "Stop it, then run this cell again: `nbserver.take_over({port})` stops what this notebook has there, "
        "and nothing else.",
    ),
    "port-in-use.here": Words(
        "Port {port} is in use: this notebook itself holds it",
        "Only one server at a time can listen on `{address}`. An earlier cell made a socket there, and it was "
        "never closed.",
        "Close it with the variable that has it, `server.server_close()` or `sock.close()`; or restart the kernel. "
        "`with …Server(…) as server:` closes it by itself.",
    ),
    "port-in-use.process": Words(
        "Port {port} is in use: {holder} holds it",
        "Only one server at a time can listen on `{address}`, and another program on this machine has it. "
        "nbserver never stops what is not its own.",
        "Stop that program yourself, or take another port: port `0` takes any that is free.",
    ),
    "port-in-use.waiting": Words(
        "Port {port} is in use: connections that ended less than a minute ago (TIME_WAIT)",
        "Nobody listens on `{address}`. The system keeps the port for about a minute, in case bytes of those "
        "connections are "
        "still on their way.",
        "Wait a minute; or say before the server is made `socketserver.TCPServer.allow_reuse_address = True` "
        "(of a plain socket: `sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)` before `bind()`).",
    ),
    "path-in-use": Words(
        "`{address}` is there already",
        "A Unix socket is a file. Another server has it, or one that has ended left it behind.",
        "Stop that server, remove the file, or take another path.",
    ),
    "port-forbidden": Words(
        "Port {port} may not be bound",
        "Ports below 1024 are for administrators.",
        "Take a port above 1023; port `0` takes any that is free.",
    ),
    "not-this-machine": Words(
        "`{host}` is not an address of this machine",
        "A server binds one of the addresses of its own machine: that says from where it can be reached.",
        "Use `127.0.0.1`, for this machine alone; or `0.0.0.0`, which stands for all of its addresses.",
    ),
    "lan": Words(
        "Who may reach this server? Nobody has said",
        "`127.0.0.1` is for this machine alone. At `{host}` others in the network could connect.",
        "If that is meant, say it: `lan=True` (or `%%server --lan`). Otherwise `127.0.0.1` is enough.",
    ),
    "refused": Words(
        "Connection refused: nothing listens on {port}",
        "The machine at `{address}` answered that no program listens on that port. {others}",
        "Start the server first, or connect to the port on which it listens.",
    ),
    "refused.unknown": Words(
        "Connection refused: nothing listens there",
        "The machine answered that no program listens on that port. {others}",
        "Start the server first, or connect to the port on which it listens.",
    ),
    "no-such-host": Words(
        "There is no machine of that name",
        "The name could not be turned into an address.",
        "Look at its spelling. This machine itself is `127.0.0.1`.",
    ),
    "udp-pair": Words(
        "In UDP `self.request` is a pair: the data, and a socket",
        "There is no connection that could be read from: one message has come already, and `self.request` is "
        "`(data, socket)`. A tuple has no `{name}`.",
        "The message: `data = self.request[0]`. The answer: `self.request[1].sendto(data, self.client_address)`.",
    ),
    "str-for-bytes": Words(
        "You passed text (`str`) where bytes are needed",
        "What travels through a network is bytes; text becomes bytes in an encoding.",
        "Encode it: `.encode('utf-8')`.",
    ),
    "str-for-bytes.known": Words(
        "You passed `str`; `.encode('utf-8')` makes these {size} bytes",
        "`{value}` is text; what travels through a network is bytes. In UTF-8 it is `{data}`.",
        "Write `{fix}`.",
    ),
    "no-bytes": Words(
        "You passed `{type}` where bytes are needed",
        "What travels through a network is bytes, and nothing else.",
        "Make text of it, and of that bytes: `str(…).encode('utf-8')`.",
    ),
    "str-and-bytes": Words(
        "`str` and `bytes` cannot be joined with `+`",
        "One is text, the other is bytes, as `recv()` gives them.",
        "Make both the same: `.decode('utf-8')` makes text of bytes, `.encode('utf-8')` bytes of text.",
    ),
    "bytes-for-str": Words(
        "Text (`str`) is needed here, and these are bytes",
        "What `recv()` returns is bytes; they become text in an encoding.",
        "Decode it first: `data.decode('utf-8')`.",
    ),
    "bytes-already": Words(
        "These are bytes already: they have no `.encode()`",
        "`.encode()` makes bytes of text (`str`). What `recv()` returns is bytes.",
        "Leave out `.encode()`, or use `.decode('utf-8')` if text is wanted.",
    ),
    "text-already": Words(
        "This is text already: it has no `.decode()`",
        "`.decode()` makes text (`str`) of bytes.",
        "Leave out `.decode()`, or use `.encode('utf-8')` if bytes are wanted.",
    ),
    "vanished": Words(
        "{who} vanished while you were sending {size} bytes",
        "{how} That a client leaves at any moment is ordinary: its program ended, or its machine lost the network.",
        "Be ready for it: `except ConnectionError: return` around the loop.",
    ),
    "vanished.waiting": Words(
        "{who} vanished while you were waiting for it in `{call}()`",
        "{how} That a client leaves at any moment is ordinary: its program ended, or its machine lost the network.",
        "Be ready for it: `except ConnectionError: return` around the loop.",
    ),
    "server-gone": Words(
        "The server has closed the connection while this program used it",
        "{how} The server's handler has returned or raised, or the server was stopped.",
        "Look at the server's side: its board says why it ended. Be ready for it here: `except ConnectionError:`.",
    ),
    "server-gone.sending": Words(
        "The server had gone when this program sent {size} bytes",
        "{how} The server's handler has returned or raised, or the server was stopped.",
        "Look at the server's side: its board says why it ended. Be ready for it here: `except ConnectionError:`.",
    ),
    "peer-gone": Words(
        "The other end has broken off the connection",
        "{how} That this happens at any moment is ordinary: a program ended, or a machine lost the network.",
        "Be ready for it: `except ConnectionError:`.",
    ),
    "timeout": Words(
        "`{call}()` waited too long",
        "The socket has a time limit (`settimeout`), and within it nothing happened: {waited}.",
        "Catch `TimeoutError` and try again, wait longer, or without a limit: `settimeout(None)`.",
    ),
    "closed-socket": Words(
        "This socket has been closed already",
        "`{call}()` was called on a socket that this program, or the end of its connection, has closed.",
        "Close it after its last use; a closed socket cannot be opened again, make a new one.",
    ),
    "closed-socket.known": Words(
        "This socket was closed in line {closed}",
        "`{call}()` was called on a socket that is closed: `{closing}`.",
        "Close it after its last use; a closed socket cannot be opened again, make a new one.",
    ),
    "one-address": Words(
        "`{call}()` takes one address, which is a pair",
        "Host and port belong together in one tuple, in parentheses of their own.",
        "Write `{call}((host, port))`, with two pairs of parentheses.",
    ),
    "one-address.known": Words(
        "`{call}()` takes one address, which is a pair",
        "Host and port belong together in one tuple, in parentheses of their own.",
        "Write `{fix}`, with two pairs of parentheses.",
    ),
    "port-is-text": Words(
        "A port is a number, and this one is text",
        "`input()` and quotation marks give text: `'8008'` is not `8008`.",
        "Make a number of it: `int(port)`.",
    ),
    "not-called": Words(
        "`{name}` was not called: its parentheses are missing",
        "`{name}` without `()` is the method itself, and not what it returns.",
        "Write `{name}()`, with what it needs between the parentheses.",
    ),
    "no-size": Words(
        "`recv()` must be told how many bytes at most",
        "It waits for the next piece, and gives at most as many bytes as it is told.",
        "Write `recv(1024)`.",
    ),
    "not-listening": Words(
        "This socket does not listen: `accept()` comes after `listen()`",
        "A server's socket goes through three steps: `bind()`, `listen()`, and then `accept()` for each client.",
        "Call `listen()` after `bind()`.",
    ),
    "not-connected": Words(
        "This socket is not connected",
        "`{call}()` needs a connection: a client's socket has one after `connect()`; a server's has none itself, "
        "`accept()` returns a new socket for each client.",
        "On a server use the socket that `accept()` returned (in a handler: `self.request`); in a client call "
        "`connect()` first.",
    ),
    "handler-object": Words(
        "A server wants the request class itself, not an object of it",
        "`{name}()` makes an object. The server does that by itself, a new one for each connection.",
        "Write `{name}`, without parentheses.",
    ),
    "no-base": Words(
        "`{name}` is no request class: it inherits from nothing",
        "The server calls `{name}(request, client_address, server)`; `BaseRequestHandler` takes these three and "
        "calls "
        "`setup()`, `handle()` and `finish()`.",
        "Write `class {name}(socketserver.BaseRequestHandler):`.",
    ),
    "no-self": Words(
        "`{name}()` has no `self`",
        "The first argument of a method is the object itself.",
        "Write `def {name}(self):`.",
    ),
    "no-handle": Words(
        "`{name}` has no `handle()`",
        "The server calls `handle()` for each connection. The one of `BaseRequestHandler` does nothing, so the "
        "connection "
        "is closed at once.",
        "Write `def handle(self):` in the class.",
    ),
    "no-handle.near": Words(
        "`{name}` has no `handle()`, but `{near}()`",
        "The server calls `handle()` for each connection. The one of `BaseRequestHandler` does nothing, so the "
        "connection "
        "is closed at once, and `{near}()` is never called.",
        "Call it `handle`.",
    ),
}

CHINESE = {
    "half-character": Words(
        "半个字符：还差 {missing}",
        "这 {size} 个字节的末尾 `{tail}` 是一个 {whole} 字节字符的开头，还差 {missing}。"
        "`recv()` 只给出目前已经到达的字节，可能正好断在一个字符的中间。",
        '把暂时不能解码的字节留给下一块：循环前写 `decoder = codecs.getincrementaldecoder("utf-8")()`，循环里用 '
        "`decoder.decode(data)`；或者按行读取。",
    ),
    "half-character.legacy": Words(
        "半个字符：后面的字节还没有到",
        "这 {size} 个字节的末尾 `{tail}` 是 {encoding} 编码中一个字符的开头。"
        "`recv()` 只给出目前已经到达的字节，可能正好断在一个字符的中间。",
        '把暂时不能解码的字节留给下一块：循环前写 `decoder = codecs.getincrementaldecoder("{encoding}")()`，循环里用 '
        "`decoder.decode(data)`；或者按行读取。",
    ),
    "second-half": Words(
        "一个字符的后半部分单独到达",
        "这些字节以 `{head}` 开头，它是一个字符的剩余部分：上一块以这个字符的开头 `{tail}` 结束。"
        "合起来 `{joined}` 才是一个字符。",
        '两块用同一个解码器：循环前写 `decoder = codecs.getincrementaldecoder("utf-8")()`，循环里用 '
        "`decoder.decode(data)`。",
    ),
    "end-ignored": Words(
        "对方已经关闭了它那一边，而程序没有检查",
        "同一行的 `recv()` 又返回了 `b''`。这就是“结束”的标志：以后不会再有数据，每次 `recv()` 都立刻返回 `b''`，"
        "通信循环于是全速空转，永不停止。",
        "收到空数据就离开循环：紧跟在 `recv()` 后面写 `if not data: break`。",
    ),
    "port-in-use": Words(
        "端口 {port} 被占用",
        "同一时刻只能有一个服务端监听 `{address}`，另一个程序占着它。",
        "停掉那个程序，或者换一个端口：端口 `0` 表示任取一个空闲的。",
    ),
    "port-in-use.ours": Words(
        "端口 {port} 被占用：占用者是本笔记本的{holder}",
        "同一时刻只能有一个服务端监听 `{address}`，而之前创建的那个还在运行。",
        "先停掉它，再运行这个单元格：`nbserver.take_over({port})` 只停掉本笔记本在这个端口上的服务端。",
    ),
    "port-in-use.here": Words(
        "端口 {port} 被占用：占用者就是本笔记本",
        "同一时刻只能有一个服务端监听 `{address}`。前面某个单元格在这里创建了套接字，一直没有关闭。",
        "用保存它的变量关闭它：`server.server_close()` 或 `sock.close()`；或者重启内核。"
        "写成 `with …Server(…) as server:` 会自动关闭。",
    ),
    "port-in-use.process": Words(
        "端口 {port} 被占用：占用者是{holder}",
        "同一时刻只能有一个服务端监听 `{address}`，本机的另一个程序占着它。nbserver 从不停止不属于自己的程序。",
        "请自己停掉那个程序，或者换一个端口：端口 `0` 表示任取一个空闲的。",
    ),
    "port-in-use.waiting": Words(
        "端口 {port} 被占用：不到一分钟前结束的连接（TIME_WAIT）",
        "现在没有程序监听 `{address}`。系统会把端口再保留大约一分钟，以防那些连接的字节还在路上。",
        "等一分钟；或者在创建服务端之前写 `socketserver.TCPServer.allow_reuse_address = True`"
        "（普通套接字：在 `bind()` 之前 `sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)`）。",
    ),
    "path-in-use": Words(
        "`{address}` 已经存在",
        "Unix 套接字是一个文件。另一个服务端正在用它，或者已结束的服务端把它留了下来。",
        "停掉那个服务端，删除这个文件，或者换一个路径。",
    ),
    "port-forbidden": Words(
        "不允许绑定端口 {port}",
        "1024 以下的端口只给管理员使用。",
        "用 1023 以上的端口；端口 `0` 表示任取一个空闲的。",
    ),
    "not-this-machine": Words(
        "`{host}` 不是本机的地址",
        "服务端只能绑定自己机器的地址，它决定从哪里可以连接到这个服务端。",
        "用 `127.0.0.1`，只限本机；或者用 `0.0.0.0`，代表本机的全部地址。",
    ),
    "lan": Words(
        "谁可以连接这个服务端？还没有说明",
        "`127.0.0.1` 只限本机。在 `{host}` 上，同一网络中的其他机器也能连接。",
        "如果确实需要，请写明：`lan=True`（或 `%%server --lan`）。否则用 `127.0.0.1` 就够了。",
    ),
    "refused": Words(
        "连接被拒绝：没有程序监听 {port}",
        "`{address}` 那台机器回答：没有程序监听这个端口。{others}",
        "先启动服务端，或者连接到它监听的端口。",
    ),
    "refused.unknown": Words(
        "连接被拒绝：没有程序在那里监听",
        "对方机器回答：没有程序监听这个端口。{others}",
        "先启动服务端，或者连接到它监听的端口。",
    ),
    "no-such-host": Words(
        "没有叫这个名字的机器",
        "这个名字无法换成地址。",
        "检查拼写。本机就是 `127.0.0.1`。",
    ),
    "udp-pair": Words(
        "UDP 中 `self.request` 是一对：数据和套接字",
        "这里没有可以读取的连接：一条消息已经到了，`self.request` 就是 `(data, socket)`。元组没有 `{name}`。",
        "取消息：`data = self.request[0]`。回复：`self.request[1].sendto(data, self.client_address)`。",
    ),
    "str-for-bytes": Words(
        "这里需要字节，传入的却是文本（`str`）",
        "网络上传送的是字节；文本要按某种编码变成字节。",
        "先编码：`.encode('utf-8')`。",
    ),
    "str-for-bytes.known": Words(
        "传入的是 `str`；`.encode('utf-8')` 得到这 {size} 个字节",
        "`{value}` 是文本，而网络上传送的是字节。用 UTF-8 编码就是 `{data}`。",
        "改写成 `{fix}`。",
    ),
    "no-bytes": Words(
        "这里需要字节，传入的却是 `{type}`",
        "网络上传送的只有字节。",
        "先变成文本，再变成字节：`str(…).encode('utf-8')`。",
    ),
    "str-and-bytes": Words(
        "`str` 和 `bytes` 不能用 `+` 相连",
        "一个是文本，另一个是字节（`recv()` 返回的就是字节）。",
        "统一成一种：`.decode('utf-8')` 把字节变成文本，`.encode('utf-8')` 把文本变成字节。",
    ),
    "bytes-for-str": Words(
        "这里需要文本（`str`），而这些是字节",
        "`recv()` 返回的是字节，按某种编码才能变成文本。",
        "先解码：`data.decode('utf-8')`。",
    ),
    "bytes-already": Words(
        "这已经是字节：字节没有 `.encode()`",
        "`.encode()` 把文本（`str`）变成字节。`recv()` 返回的就是字节。",
        "去掉 `.encode()`；如果想要文本，用 `.decode('utf-8')`。",
    ),
    "text-already": Words(
        "这已经是文本：文本没有 `.decode()`",
        "`.decode()` 把字节变成文本（`str`）。",
        "去掉 `.decode()`；如果想要字节，用 `.encode('utf-8')`。",
    ),
    "vanished": Words(
        "正在发送 {size} 个字节时，{who}消失了",
        "{how}客户端随时可能离开，这很平常：它的程序结束了，或者它的机器断网了。",
        "做好准备：在通信循环外面加 `except ConnectionError: return`。",
    ),
    "vanished.waiting": Words(
        "正在 `{call}()` 中等待时，{who}消失了",
        "{how}客户端随时可能离开，这很平常：它的程序结束了，或者它的机器断网了。",
        "做好准备：在通信循环外面加 `except ConnectionError: return`。",
    ),
    "server-gone": Words(
        "程序正在使用连接时，服务端把它关闭了",
        "{how}服务端的 handle() 已经返回或出错，或者服务端被停止了。",
        "看看服务端那一边：面板上写着它为什么结束。这里也要做好准备：`except ConnectionError:`。",
    ),
    "server-gone.sending": Words(
        "程序发送 {size} 个字节时，服务端已经不在了",
        "{how}服务端的 handle() 已经返回或出错，或者服务端被停止了。",
        "看看服务端那一边：面板上写着它为什么结束。这里也要做好准备：`except ConnectionError:`。",
    ),
    "peer-gone": Words(
        "对方中断了连接",
        "{how}这随时可能发生，很平常：程序结束了，或者机器断网了。",
        "做好准备：`except ConnectionError:`。",
    ),
    "timeout": Words(
        "`{call}()` 等得太久了",
        "这个套接字设了时间限制（`settimeout`），在限制之内什么也没有发生：{waited}。",
        "捕获 `TimeoutError` 后再试，或者等久一点，或者不设限制：`settimeout(None)`。",
    ),
    "closed-socket": Words(
        "这个套接字已经关闭了",
        "`{call}()` 用在了一个已经关闭的套接字上：程序关闭了它，或者连接已经结束。",
        "用完最后一次再关闭；关闭了的套接字不能重新打开，要新建一个。",
    ),
    "closed-socket.known": Words(
        "这个套接字在第 {closed} 行已经关闭了",
        "`{call}()` 用在了一个已经关闭的套接字上：`{closing}`。",
        "用完最后一次再关闭；关闭了的套接字不能重新打开，要新建一个。",
    ),
    "one-address": Words(
        "`{call}()` 只接受一个地址，地址是一对",
        "主机和端口要放在同一个元组里，有自己的一对括号。",
        "写成 `{call}((host, port))`，两层括号。",
    ),
    "one-address.known": Words(
        "`{call}()` 只接受一个地址，地址是一对",
        "主机和端口要放在同一个元组里，有自己的一对括号。",
        "写成 `{fix}`，两层括号。",
    ),
    "port-is-text": Words(
        "端口是数字，这里却是文本",
        "`input()` 和引号得到的都是文本：`'8008'` 不是 `8008`。",
        "变成数字：`int(port)`。",
    ),
    "not-called": Words(
        "`{name}` 没有被调用：少了括号",
        "不带 `()` 的 `{name}` 是方法本身，不是它返回的结果。",
        "写成 `{name}()`，括号里写它需要的参数。",
    ),
    "no-size": Words(
        "要告诉 `recv()` 最多接收多少字节",
        "它等待下一块数据，最多给出指定数目的字节。",
        "写成 `recv(1024)`。",
    ),
    "not-listening": Words(
        "这个套接字没有在监听：`accept()` 要在 `listen()` 之后",
        "服务端的套接字有三步：`bind()`、`listen()`，然后对每个客户端 `accept()`。",
        "在 `bind()` 之后调用 `listen()`。",
    ),
    "not-connected": Words(
        "这个套接字没有连接",
        "`{call}()` 需要连接：客户端的套接字在 `connect()` 之后才有；服务端的监听套接字本身没有，"
        "`accept()` 为每个客户端返回一个新的套接字。",
        "在服务端上用 `accept()` 返回的套接字（在 handler 中是 `self.request`）；在客户端先调用 `connect()`。",
    ),
    "handler-object": Words(
        "服务端要的是请求类本身，不是它的对象",
        "`{name}()` 会创建一个对象。服务端自己会为每个连接创建一个新的。",
        "写成 `{name}`，不带括号。",
    ),
    "no-base": Words(
        "`{name}` 不是请求类：它没有继承任何类",
        "服务端会调用 `{name}(request, client_address, server)`；`BaseRequestHandler` 接受这三个参数，并调用 "
        "`setup()`、`handle()` 和 `finish()`。",
        "写成 `class {name}(socketserver.BaseRequestHandler):`。",
    ),
    "no-self": Words(
        "`{name}()` 缺少 `self`",
        "方法的第一个参数是对象本身。",
        "写成 `def {name}(self):`。",
    ),
    "no-handle": Words(
        "`{name}` 没有 `handle()`",
        "服务端对每个连接调用 `handle()`。`BaseRequestHandler` 自带的那个什么也不做，所以连接马上就关闭了。",
        "在类里写 `def handle(self):`。",
    ),
    "no-handle.near": Words(
        "`{name}` 没有 `handle()`，只有 `{near}()`",
        "服务端对每个连接调用 `handle()`。`BaseRequestHandler` 自带的那个什么也不做，所以连接马上就关闭了，"
        "`{near}()` 从来不会被调用。",
        "把它改名为 `handle`。",
    ),
}

PHRASES = {
    "others": ("nbserver listens on `{where}`.", "nbserver 正在监听 `{where}`。"),
    "nobody": ("nbserver has no server here at the moment.", "nbserver 目前没有正在运行的服务端。"),
    "reset": (
        "It broke off the connection (“connection reset”): closed it with bytes unread, or was ended.",
        "它中断了连接（connection reset）：还有没读的字节就关闭了，或者被强行结束了。",
    ),
    "pipe": (
        "It had closed the connection before (“broken pipe”): what is sent now has nowhere to go.",
        "它在这之前已经关闭了连接（broken pipe）：现在发送的数据无处可去。",
    ),
    "unreachable": ("It cannot be reached any more.", "现在已经联系不到它了。"),
    "client": ("Client #{number}", "客户端 #{number} "),
    "process": ("process {pid} (`{name}`)", "进程 {pid}（`{name}`）"),
    "user": ("a program of another user", "另一个用户的程序"),
    "cell": ("cell [{cell}]", "单元格 [{cell}]"),
    "server": ("server", "服务端"),
    "line": ("line {line}", "第 {line} 行"),
    "nothing came": ("nothing came", "没有收到数据"),
    "nobody came": ("nobody connected", "没有人连接"),
    "nobody read": ("the other side did not read", "对方没有读取"),
    "no answer": ("the other side did not answer", "对方没有应答"),
}
"""What is put into a card, in both languages."""
