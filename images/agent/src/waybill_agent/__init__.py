"""An agent and an MCP server in one program; see README.md."""

VERSION = "0.1.0"
