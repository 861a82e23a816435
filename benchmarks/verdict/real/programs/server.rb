# ruby server.rb PORT clean|keep: answers a POST with the length of its body; keep: the body stays in an array.
require "socket"
kept = []
server = TCPServer.new("127.0.0.1", ARGV[0].to_i)
loop do
  Thread.new(server.accept) do |client|
    until (line = client.gets).nil?
      length = 0
      length = line.split(":")[1].to_i if line =~ /content-length/i while (line = client.gets) && line != "\r\n"
      body = client.read(length)
      words = (0...1500).map { |i| "#{i} #{body.getbyte(i % body.bytesize)}" }.sort
      kept << body if ARGV[1] == "keep"
      answer = words.size.to_s
      client.write("HTTP/1.1 200 OK\r\nContent-Length: #{answer.size}\r\n\r\n#{answer}")
    end
    client.close
  end
end
