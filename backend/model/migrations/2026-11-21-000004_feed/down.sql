drop function feed_forget, feed_changes, feed_streams;
