-- nchan, a module of nginx, from Debian's packages. Events are not kept, as chatty keeps none either by default.
local CONFIG = [[
cat >nginx.conf <<END
load_module $1/usr/lib/nginx/modules/ngx_nchan_module.so;
daemon off; master_process off; pid nginx.pid; error_log stderr warn;
events { worker_connections 20000; }
http {
  access_log off;
  nchan_shared_memory_size 256m;
  server {
    listen 127.0.0.1:$2 backlog=4096;
    keepalive_requests 1000000000;
    location = /publish { nchan_publisher; nchan_channel_id \$arg_channel; nchan_message_timeout 5s; }
    location = /listen { nchan_subscriber websocket; nchan_channel_id \$arg_channel; }
  }
}
END
exec $1/usr/sbin/nginx -p "$PWD" -c "$PWD/nginx.conf" -e stderr]]

return function(place)
  local root = place.peers .. "/debian"
  if not place.has(root .. "/usr/sbin/nginx") then return nil, "Debian's nginx or libnginx-mod-nchan is not there" end
  return {
    title = "nchan",
    command = { "sh", "-c", CONFIG, "nchan", root, "{port}" },
    flags = { "--subscribe-path=", "--publish-path=/publish?channel={channel}", "--publish-header=",
      "--connect-path=/listen?channel={channel}", "--connect-header=", "--await=" },
  }
end
