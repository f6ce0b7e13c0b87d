"""The official Python client against Holdfast: says what it saw of each endpoint, in each way it finds out what a server speaks."""

import asyncio
import json
import sys
from typing import Any

from mcp import Client
from mcp.client.streamable_http import streamable_http_client
from mcp.shared._httpx_utils import create_mcp_http_client


async def every_name(fetch: Any, member: str) -> list[str]:
    names: list[str] = []
    cursor = None
    while True:
        page = await fetch(cursor=cursor)
        names += [entry.name for entry in getattr(page, member)]
        cursor = page.next_cursor
        if cursor is None:
            return names


async def look(url: str, prefix: str, mode: str, headers: dict[str, str]) -> dict[str, Any]:
    progress: list[float] = []

    async def on_progress(done: float, total: float | None, message: str | None) -> None:
        progress.append(done)

    async with create_mcp_http_client(headers=headers) as http:
        async with Client(streamable_http_client(url, http_client=http), mode=mode, read_timeout_seconds=30) as client:
            tools = await every_name(client.list_tools, "tools")
            prompts = await every_name(client.list_prompts, "prompts")
            text = await client.call_tool(f"{prefix}test_simple_text", {})
            error = await client.call_tool(f"{prefix}test_error_handling", {})
            image = await client.call_tool(f"{prefix}test_image_content", {})
            await client.call_tool(f"{prefix}test_tool_with_progress", {}, progress_callback=on_progress)
            resource = await client.read_resource("test://static-text")
            prompt = await client.get_prompt(f"{prefix}test_prompt_with_arguments", {"arg1": "one", "arg2": "two"})
            return {
                "protocol": client.protocol_version,
                "tools": tools,
                "prompts": prompts,
                "text": text.content[0].text,
                "error": [error.is_error, error.content[0].text],
                "image": image.content[0].mime_type,
                "progress": progress,
                "resource": resource.contents[0].text,
                "prompt": prompt.messages[0].content.text,
            }


async def main() -> None:
    asked = json.load(sys.stdin)
    headers = {"authorization": f"Bearer {asked['token']}"}
    seen = [
        await look(endpoint["url"], endpoint["prefix"], mode, headers)
        for endpoint in asked["endpoints"]
        for mode in ("auto", "legacy")
    ]
    json.dump(seen, sys.stdout)


asyncio.run(main())
