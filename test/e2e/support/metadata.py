"""A stand-in for the services that hand out credentials on AWS's hosts: EC2 instance metadata and a container's agent.

It gives sessions that the simulator's STS has issued, a new one each time, and remembers every secret of them.
"""

import http.server
import json
import threading

import boto3
from botocore.config import Config

TOKEN = "metadata-token-e2e/1+2=="
ROLE_PATH = "/latest/meta-data/iam/security-credentials/"
ROLE_ARN = "arn:aws:iam::123456789012:role/OrganizationAccountAccessRole"
SIM_KEYS = {"aws_access_key_id": "AKIASIMULATOREXAMPLE", "aws_secret_access_key": "simsecretEXAMPLEKEY"}


def sts_of(sim):
    return boto3.client("sts", endpoint_url=sim.url, region_name="us-east-1", config=Config(proxies={}), **SIM_KEYS)


def issue(sim, session_name="from-metadata", sts=None):
    """A session of the simulator's organization."""
    return (sts or sts_of(sim)).assume_role(RoleArn=ROLE_ARN, RoleSessionName=session_name)["Credentials"]


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self, status, body):
        data = body.encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def do_PUT(self):
        self.server.metadata.asked.append(("PUT", self.path))
        ttl = self.headers.get("X-Aws-Ec2-Metadata-Token-Ttl-Seconds")
        if not self.server.metadata.version_2:
            self.answer(404, "")
        elif self.path != "/latest/api/token" or ttl != "300":
            self.answer(400, "")
        else:
            self.answer(200, TOKEN)

    def do_GET(self):
        metadata = self.server.metadata
        metadata.asked.append(("GET", self.path))
        token = self.headers.get("X-Aws-Ec2-Metadata-Token")
        if self.path.startswith("/container/"):
            self.container(metadata)
        elif token != (TOKEN if metadata.version_2 else None):
            self.answer(401, "")
        elif self.path == ROLE_PATH:
            self.answer(200, "e2e-role")
        elif self.path == ROLE_PATH + "e2e-role":
            self.answer(200, json.dumps({"Code": "Success", "Type": "AWS-HMAC", **metadata.session()}))
        else:
            self.answer(404, "")

    def container(self, metadata):
        if self.headers.get("Authorization") != metadata.authorization:
            self.answer(403, json.dumps({"code": "AccessDenied", "message": "another token is wanted"}))
        else:
            self.answer(200, json.dumps(metadata.session()))

    def log_message(self, *_):
        pass


class Metadata:
    """Started on a free loopback port. `secrets`: whatever it gave out; `asked`: method and path of each request."""

    def __init__(self, sim, version_2=True, authorization=None):
        self.sim, self.version_2, self.authorization = sim, version_2, authorization
        self.sts = sts_of(sim)  # made here: it takes long, and who asks for metadata waits for a second
        self.asked, self.secrets = [], [TOKEN]
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.metadata = self
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def session(self):
        s = issue(self.sim, sts=self.sts)
        self.secrets += [s["AccessKeyId"], s["SecretAccessKey"], s["SessionToken"]]
        return {"AccessKeyId": s["AccessKeyId"], "SecretAccessKey": s["SecretAccessKey"], "Token": s["SessionToken"],
                "Expiration": s["Expiration"].strftime("%Y-%m-%dT%H:%M:%SZ")}

    def close(self):
        self.server.shutdown()
        self.server.server_close()
