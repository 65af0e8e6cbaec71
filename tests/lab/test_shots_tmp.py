from .test_lessons_cards import *
def shoot(page, name):
    page.wait_for_timeout(600)
    page.screenshot(path=f"/tmp/shots-cards/{name}.png")
def test_shots(open_notebook, free_port):
    client = '%%client\nimport socket\ns = socket.socket()\ns.connect(("127.0.0.1", port))\nmsg = "你好"\ns.sendall(msg)'
    plain = f'import socketserver\nsocketserver.TCPServer(("127.0.0.1", {free_port}), None)'
    notebook = open_notebook([SETUP, server('conn.sendall("hello!")'), client, f"mine = nbserver.serve(port={free_port})", plain, server("while True:", "    data = conn.recv(1024)", "    conn.sendall(data.upper())"),
      '%%client\nimport socket\ns = socket.socket()\ns.connect(("127.0.0.1", port))\ns.sendall(b"hi")\nprint(s.recv(10))\ns.close()'])
    page = notebook.page
    page.set_viewport_size({"width": 1300, "height": 2600})
    for i in range(5): notebook.run(i)
    page.wait_for_timeout(4000)
    for i in (5, 6): notebook.run(i)
    page.wait_for_timeout(3000)
    shoot(page, "light")
    page.evaluate("() => window.jupyterapp.commands.execute('apputils:change-theme', {theme: 'JupyterLab Dark'})")
    page.wait_for_timeout(2500)
    shoot(page, "dark")
    page.get_by_role("button", name="Switch to Chinese").first.click()
    notebook.run(4)
    shoot(page, "dark-zh")
    page.evaluate("() => window.jupyterapp.commands.execute('apputils:change-theme', {theme: 'JupyterLab Light'})")
    page.wait_for_timeout(1500)
    for _ in range(8): page.get_by_role("button", name="放大文字").or_(page.get_by_role("button", name="更大的文字")).first.click() if page.get_by_role("button", name="放大文字").or_(page.get_by_role("button", name="更大的文字")).count() else None
    shoot(page, "zh-200")
