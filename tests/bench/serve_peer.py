#!/usr/bin/env python3
"""What serve_load.c is measured against: serve_peer.py FRONT-MODEL, FRONT one of uvicorn, http.server and
gunicorn-flask, MODEL torch or sklearn

The same net (16-128-128-1) behind POST /invocations with the same body, on a free port of loopback, which is
printed; two processes, without Nagle's delay. Nothing is logged and nothing is checked beyond what json and numpy
check. 77: not installed.
"""
import asyncio
import json
import os
import socket
import sys
import threading
import time
import warnings

warnings.simplefilter("ignore")

os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = "1"
front, model = sys.argv[1].rsplit("-", 1)
try:
    import numpy as np
    if model == "torch":
        import torch
    else:
        from sklearn.neural_network import MLPRegressor
    if front == "uvicorn":
        import uvicorn
    elif front == "gunicorn-flask":
        import flask
        from gunicorn.app.base import BaseApplication
except (ImportError, OSError):
    sys.exit(77)

names = ["c%d" % i for i in range(16)]
if model == "torch":
    torch.set_num_threads(1)
    net = torch.nn.Sequential(torch.nn.Linear(16, 128), torch.nn.ReLU(), torch.nn.Linear(128, 128), torch.nn.ReLU(),
                              torch.nn.Linear(128, 1)).eval()
    net = torch.jit.freeze(torch.jit.trace(net, torch.zeros(1, 16)))

    def predict(x):
        with torch.inference_mode():
            return net(torch.from_numpy(x)).numpy()[:, 0]
else:
    rng = np.random.default_rng(1)
    x = rng.normal(size=(2000, 16)).astype(np.float32)
    net = MLPRegressor((128, 128), max_iter=2).fit(x, x.sum(1))

    def predict(x):
        return net.predict(x)


def answer(body):
    split = json.loads(body)["dataframe_split"]
    order = [split["columns"].index(n) for n in names]
    rows = np.array(split["data"], dtype=np.float32)[:, order]
    return json.dumps({"predictions": [float(v) for v in predict(rows)]}).encode()




def listening(port):
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    sock.bind(("127.0.0.1", port))
    sock.listen(512)
    return sock


# A socket each: of one that both listen on, asyncio's first to wake takes every connection, and the other stands idle.
sock = listening(0)
second = None if front == "gunicorn-flask" else listening(sock.getsockname()[1])
parent = os.getpid()
if front == "gunicorn-flask":  # starts its workers itself
    print("http://127.0.0.1:%d" % sock.getsockname()[1], flush=True)
elif os.fork() == 0:
    sock.close()
    sock = second

    def leave():
        while os.getppid() == parent:
            time.sleep(0.2)
        os._exit(0)

    threading.Thread(target=leave, daemon=True).start()
else:
    second.close()
    print("http://127.0.0.1:%d" % sock.getsockname()[1], flush=True)
if front == "uvicorn":
    async def app(scope, receive, send):
        if scope["type"] != "http":
            return
        body, more = b"", True
        while more:
            message = await receive()
            body += message.get("body", b"")
            more = message.get("more_body", False)
        out = answer(body)
        await send({"type": "http.response.start", "status": 200,
                    "headers": [(b"content-type", b"application/json"), (b"content-length", str(len(out)).encode())]})
        await send({"type": "http.response.body", "body": out})

    config = uvicorn.Config(app, log_level="error", access_log=False, lifespan="off")
    config.setup_event_loop()  # uvloop, where it is installed; httptools is found by itself
    asyncio.run(uvicorn.Server(config).serve(sockets=[sock]))
elif front == "gunicorn-flask":
    app = flask.Flask("peer")

    @app.post("/invocations")
    def invocations():
        return flask.Response(answer(flask.request.get_data()), mimetype="application/json")

    class Server(BaseApplication):
        def load_config(self):
            # threads, for its plain workers close every connection
            for key, value in (("bind", ["fd://%d" % sock.fileno()]), ("workers", 2), ("worker_class", "gthread"),
                               ("threads", 16), ("keepalive", 60), ("loglevel", "critical")):
                self.cfg.set(key, value)

        def load(self):
            return app

    os.set_inheritable(sock.fileno(), True)
    Server().run()
else:
    from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_POST(self):
            out = answer(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(out)))
            self.end_headers()
            self.wfile.write(out)

        def log_message(self, *_):
            pass

    ThreadingHTTPServer.handle_error = lambda *_: None
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler, bind_and_activate=False)
    server.socket.close()
    server.socket = sock
    server.serve_forever()
